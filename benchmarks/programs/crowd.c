/* crowd PROCESSES DESCRIPTORS: so many children that sleep, each with so many descriptors of /dev/null. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int processes = argc > 1 ? atoi(argv[1]) : 1, descriptors = argc > 2 ? atoi(argv[2]) : 0;
    struct rlimit limit = {descriptors + 64, descriptors + 64};
    pid_t parent = getpid();

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        perror("setrlimit");
        return 1;
    }
    for (int i = 0; i < processes; i++) {
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            return 1;
        }
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent)
                return 1;
            for (int j = 0; j < descriptors; j++)
                if (open("/dev/null", O_RDONLY) < 0)
                    break;
            for (;;)
                pause();
        }
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
