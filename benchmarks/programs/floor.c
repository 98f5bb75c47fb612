/* The least a supervisor can do: fork, exec, waitpid, start again, and end its children when it is told to end.
 *
 *   floor PROGRAM FIRST STEP COUNT   runs COUNT copies of PROGRAM with PORT=FIRST, FIRST+STEP, ...
 *   floor PROGRAM LOG                runs one copy and copies its standard output to LOG
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1000 };
static pid_t children[MOST];
static sigset_t signals;

static pid_t start(const char *program, int port, int output)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    char text[16];
    snprintf(text, sizeof text, "%d", port);
    setenv("PORT", text, 1);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    setsid();
    if (output >= 0)
        dup2(output, STDOUT_FILENO);
    execl(program, program, (char *)NULL);
    _exit(127);
}

static int copy_output(const char *program, const char *log)
{
    static char buffer[65536];
    int ends[2], file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || pipe2(ends, O_CLOEXEC))
        return 1;
    pid_t child = start(program, 0, ends[1]);
    close(ends[1]);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
        if (write(file, buffer, (size_t)n) != n)
            return 1;
    waitpid(child, NULL, 0);
    return 0;
}

int main(int argc, char **argv)
{
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (argc == 3)
        return copy_output(argv[1], argv[2]);
    if (argc != 5 || atoi(argv[4]) > MOST)
        return 2;
    int first = atoi(argv[2]), step = atoi(argv[3]), count = atoi(argv[4]);
    for (int i = 0; i < count; i++)
        children[i] = start(argv[1], first + step * i, -1);
    for (;;) {
        int which;
        sigwait(&signals, &which);
        if (which == SIGTERM)
            break;
        for (pid_t dead; (dead = waitpid(-1, NULL, WNOHANG)) > 0;)
            for (int i = 0; i < count; i++)
                if (children[i] == dead)
                    children[i] = start(argv[1], first + step * i, -1);
    }
    for (int i = 0; i < count; i++)
        kill(children[i], SIGTERM);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return 0;
}
