/* A program that does little but system calls; run as a service, it writes to $CALLS_DONE what processor time
 * they took, which other programs do not add to.
 *
 * "getpid NANOSECONDS" for each of a million getpid(2), and "accept NANOSECONDS" for each of 100,000 connections
 * that a child makes on the loopback interface, both ends of which are closed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { GETPIDS = 1000000, ACCEPTS = 100000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void reset_and_close(int fd)
{
    struct linger at_once = {.l_onoff = 1}; /* no TIME_WAIT, or else the ports for clients run out */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static void connect_forever(struct sockaddr_in *address)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        char byte;
        int client = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(client, (struct sockaddr *)address, sizeof *address) == 0)
            while (read(client, &byte, 1) > 0)
                ;
        reset_and_close(client);
    }
}

int main(void)
{
    const char *port = getenv("PORT"), *done = getenv("CALLS_DONE");
    if (!port || !done)
        return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) {
        perror("calls");
        return 1;
    }
    double begun = now();
    for (int i = 0; i < GETPIDS; i++)
        syscall(SYS_getpid);
    double getpids = (now() - begun) / GETPIDS;
    pid_t child = fork();
    if (child == 0)
        connect_forever(&address);
    begun = now();
    for (int i = 0; i < ACCEPTS; i++) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0)
            reset_and_close(client);
    }
    double accepts = (now() - begun) / ACCEPTS;
    kill(child, SIGKILL);
    FILE *file = fopen(done, "w");
    if (!file)
        return 1;
    fprintf(file, "getpid %.1f\naccept %.1f\n", getpids, accepts);
    fclose(file);
    for (;;)
        pause();
}
