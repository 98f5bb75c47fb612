/* Set-user-ID root: becomes root, says so, and goes on where its starter may not kill it. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    if (setuid(0) != 0 || setsid() < 0)
        return 1;
    printf("beyond %d\n", (int)getpid());
    fflush(stdout);
    for (;;)
        pause();
}
