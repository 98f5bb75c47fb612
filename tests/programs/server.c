/* The smallest service: listens on $HOST:$PORT and accepts, until it is killed; with an argument it ends at once. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in address;
    int on = 1, server = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(port ? port : "0"));
    if (inet_pton(AF_INET, host ? host : "127.0.0.1", &address.sin_addr) != 1)
        return 2;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 128)) {
        perror("server");
        return 1;
    }
    if (count > 1)
        return 0;
    (void)words;
    for (;;) {
        int connection = accept(server, NULL, NULL);
        if (connection >= 0)
            close(connection);
    }
}
