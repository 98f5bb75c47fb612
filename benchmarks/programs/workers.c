/* A service of $WORKERS processes, each with a SO_REUSEPORT socket of its own on 127.0.0.1:$PORT when there are several.
 * Each tells its pid to whoever connects.  A worker that ends is replaced; SIGTERM ends all, each between two clients. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ends;

static void end(int number)
{
    (void)number;
    ends = 1;
}

static int serve(int shared, const sigset_t *open)
{
    const char *port = getenv("PORT");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port ? port : "0"))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared)
        setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) {
        perror("workers");
        return 1;
    }
    char pid[16];
    snprintf(pid, sizeof pid, "%d\n", getpid());
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    while (!ends) {
        if (ppoll(&waiting, 1, NULL, open) < 0) /* the only moment at which a signal comes in */
            continue;
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (write(client, pid, strlen(pid)) < 0)
            perror("workers");
        close(client);
    }
    return 0;
}

int main(void)
{
    const char *words = getenv("WORKERS");
    int count = atoi(words ? words : "1"), running = 0, told = 0;
    struct sigaction action = {.sa_handler = end};
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    sigaction(SIGTERM, &action, NULL);
    if (count <= 1)
        return serve(0, &before);
    pid_t main_pid = getpid();
    for (;;) {
        for (; running < count && !ends; running++) {
            pid_t child = fork();
            if (child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                return getppid() == main_pid ? serve(1, &before) : 1;
            }
            if (child < 0)
                return 1;
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        pid_t ended = wait(NULL);
        sigprocmask(SIG_BLOCK, &blocked, NULL);
        if (ended > 0)
            running--;
        if (ends && !told) {
            told = 1;
            signal(SIGTERM, SIG_IGN);
            kill(0, SIGTERM);
        }
        if (ends && running == 0)
            return 0;
    }
}
