/* flying PORT...: listens on each port and puts the listeners in flight, so that no process has them open. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static int kept[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, kept) != 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[i])),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
        char space[CMSG_SPACE(sizeof listener)] = {0}, byte = 0;
        struct iovec data = {&byte, 1};
        struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(listener, (struct sockaddr *)&place, sizeof place) != 0 || listen(listener, 1) != 0) {
            perror(argv[i]);
            return 1;
        }
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof listener);
        memcpy(CMSG_DATA(rights), &listener, sizeof listener);
        if (sendmsg(kept[0], &message, MSG_DONTWAIT) < 0) { /* net.unix.max_dgram_qlen is 10: another pair */
            if (socketpair(AF_UNIX, SOCK_DGRAM, 0, kept) != 0 || sendmsg(kept[0], &message, 0) < 0) {
                perror("sendmsg");
                return 1;
            }
        }
        close(listener);
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
