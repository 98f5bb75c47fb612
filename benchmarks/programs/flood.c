/* Writes $FLOOD_MB megabytes of 100-byte lines to its standard output once there is a file $FLOOD_GO, then the seconds
   that took to $FLOOD_DONE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    enum { LINE = 100, LINES = 1000 };
    static char block[LINE * LINES];
    const char *megabytes = getenv("FLOOD_MB"), *done = getenv("FLOOD_DONE"), *go = getenv("FLOOD_GO");
    if (!megabytes || !done || !go)
        return 2;
    memset(block, 'x', sizeof block);
    for (int i = 1; i <= LINES; i++)
        block[i * LINE - 1] = '\n';
    while (access(go, F_OK))
        usleep(1000);
    double start = now();
    for (long left = atol(megabytes) * 10; left > 0; left--)
        for (size_t sent = 0; sent < sizeof block;) {
            ssize_t n = write(STDOUT_FILENO, block + sent, sizeof block - sent);
            if (n < 0)
                return 1;
            sent += (size_t)n;
        }
    double seconds = now() - start;
    FILE *file = fopen(done, "w");
    if (!file)
        return 1;
    fprintf(file, "%.6f\n", seconds);
    fclose(file);
    for (;;)
        pause();
}
