/* Counts the calls of the C library that portsup makes, and fails one of them: preloaded with LD_PRELOAD, ld.so(8).

   It is told what to do through a file that every process maps, named by FAULTS; what is in it stands in `struct board`,
   which board.py knows too.  Processes are told apart by their depth: 0 is the command itself, 1 what it has forked, 2
   what that has forked, and so on.  LD_PRELOAD leaves the environment at once, so what portsup executes is without it.

   What the interpreter opens and reads of itself is a call of its own, `import`.  Nothing counts before the command has
   asked what its standard input is, which is the first thing it does once its modules are there.

   With FAULTS_PLACES each call that counts is told of in that file, with where in the Python program it was made. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS                                                                                                          \
    X(none) X(import) X(open) X(open_write) X(read) X(read_pipe) X(write) X(write_pipe) X(close) X(stat) X(fstat)      \
    X(rename) X(link) X(unlink) X(mkdir) X(chmod) X(utime) X(truncate) X(sync) X(flock) X(dup) X(pipe) X(socket)       \
    X(bind) X(bind_path) X(listen) X(accept) X(connect) X(setsockopt) X(getsockopt) X(getsockname) X(send) X(recv) X(poll)          \
    X(epoll_create) X(epoll_ctl) X(epoll_wait) X(signalfd) X(inotify_init) X(inotify_watch) X(pidfd_open) X(getfd)     \
    X(seccomp) X(ioctl) X(addfd) X(fork) X(execve) X(wait) X(opendir) X(readdir) X(readlink) X(access) X(getcwd) X(mmap)        \
    X(thread) X(syscall)

#define X(name) C_##name,
enum { CALLS CALLS_END };
#undef X

enum { STEPS = 32, DEPTHS = 4, NAMES = 64, CUT_SHORT = -1 };

/* How long a fault goes on: for one call, or from there on for every call of the step that is in `affected`. */
struct board {
    int32_t step, armed, at_step, at_depth, at_call, at_number, error, lasts, hits;
    int32_t affected[NAMES];
    int32_t counts[STEPS][DEPTHS][NAMES];
};

static struct board *board;
static pid_t self;
static int depth, begun, is_loaded, is_telling;
static const char *where, *places;
static unsigned char imported[65536 / 8]; /* descriptors of what the interpreter has opened of itself */

#define REAL(result, name, ...) static result (*real_##name)(__VA_ARGS__)
REAL(int, open, const char *, int, ...);
REAL(int, openat, int, const char *, int, ...);
REAL(ssize_t, read, int, void *, size_t);
REAL(ssize_t, pread, int, void *, size_t, off_t);
REAL(ssize_t, write, int, const void *, size_t);
REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
REAL(ssize_t, writev, int, const struct iovec *, int);
REAL(int, close, int);
REAL(int, stat, const char *, struct stat *);
REAL(int, lstat, const char *, struct stat *);
REAL(int, fstat, int, struct stat *);
REAL(int, fstatat, int, const char *, struct stat *, int);
REAL(int, rename, const char *, const char *);
REAL(int, renameat, int, const char *, int, const char *);
REAL(int, link, const char *, const char *);
REAL(int, linkat, int, const char *, int, const char *, int);
REAL(int, unlink, const char *);
REAL(int, unlinkat, int, const char *, int);
REAL(int, mkdir, const char *, mode_t);
REAL(int, mkdirat, int, const char *, mode_t);
REAL(int, chmod, const char *, mode_t);
REAL(int, fchmod, int, mode_t);
REAL(int, fchmodat, int, const char *, mode_t, int);
REAL(int, utimensat, int, const char *, const struct timespec *, int);
REAL(int, futimens, int, const struct timespec *);
REAL(int, ftruncate, int, off_t);
REAL(int, truncate, const char *, off_t);
REAL(int, fsync, int);
REAL(int, fdatasync, int);
REAL(int, flock, int, int);
REAL(int, fcntl, int, int, ...);
REAL(int, dup, int);
REAL(int, dup2, int, int);
REAL(int, dup3, int, int, int);
REAL(int, pipe, int *);
REAL(int, pipe2, int *, int);
REAL(int, socket, int, int, int);
REAL(int, socketpair, int, int, int, int *);
REAL(int, bind, int, const struct sockaddr *, socklen_t);
REAL(int, listen, int, int);
REAL(int, accept, int, struct sockaddr *, socklen_t *);
REAL(int, accept4, int, struct sockaddr *, socklen_t *, int);
REAL(int, connect, int, const struct sockaddr *, socklen_t);
REAL(int, setsockopt, int, int, int, const void *, socklen_t);
REAL(int, getsockopt, int, int, int, void *, socklen_t *);
REAL(int, getsockname, int, struct sockaddr *, socklen_t *);
REAL(int, getpeername, int, struct sockaddr *, socklen_t *);
REAL(ssize_t, send, int, const void *, size_t, int);
REAL(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
REAL(ssize_t, recv, int, void *, size_t, int);
REAL(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *);
REAL(ssize_t, recvmsg, int, struct msghdr *, int);
REAL(int, poll, struct pollfd *, nfds_t, int);
REAL(int, epoll_create1, int);
REAL(int, epoll_ctl, int, int, int, struct epoll_event *);
REAL(int, epoll_wait, int, struct epoll_event *, int, int);
REAL(int, signalfd, int, const sigset_t *, int);
REAL(int, inotify_init1, int);
REAL(int, inotify_add_watch, int, const char *, uint32_t);
REAL(int, ioctl, int, unsigned long, ...);
REAL(pid_t, fork, void);
REAL(int, clone, int (*)(void *), void *, int, void *);
REAL(int, execve, const char *, char *const *, char *const *);
REAL(pid_t, waitpid, pid_t, int *, int);
REAL(pid_t, wait4, pid_t, int *, int, struct rusage *);
REAL(int, waitid, idtype_t, id_t, siginfo_t *, int);
REAL(DIR *, opendir, const char *);
REAL(DIR *, fdopendir, int);
REAL(struct dirent *, readdir, DIR *);
REAL(ssize_t, readlink, const char *, char *, size_t);
REAL(ssize_t, readlinkat, int, const char *, char *, size_t);
REAL(int, access, const char *, int);
REAL(int, faccessat, int, const char *, int, int);
REAL(char *, getcwd, char *, size_t);
REAL(void *, mmap, void *, size_t, int, int, int, off_t);
REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
REAL(long, syscall, long, ...);

static void in_child(void)
{
    self = (pid_t)real_syscall(SYS_getpid);
    if (depth < DEPTHS - 1)
        depth++;
}

__attribute__((constructor)) static void prepare(void)
{
    const char *path = getenv("FAULTS");
    int file;
#define FIND(name) real_##name = dlsym(RTLD_NEXT, #name)
    FIND(open); FIND(openat); FIND(read); FIND(pread); FIND(write); FIND(pwrite); FIND(writev); FIND(close);
    FIND(stat); FIND(lstat); FIND(fstat); FIND(fstatat); FIND(rename); FIND(renameat); FIND(link); FIND(linkat);
    FIND(unlink); FIND(unlinkat); FIND(mkdir); FIND(mkdirat); FIND(chmod); FIND(fchmod); FIND(fchmodat);
    FIND(utimensat); FIND(futimens); FIND(ftruncate); FIND(truncate); FIND(fsync); FIND(fdatasync); FIND(flock);
    FIND(fcntl); FIND(dup); FIND(dup2); FIND(dup3); FIND(pipe); FIND(pipe2); FIND(socket); FIND(socketpair); FIND(bind);
    FIND(listen); FIND(accept); FIND(accept4); FIND(connect); FIND(setsockopt); FIND(getsockopt); FIND(getsockname);
    FIND(getpeername); FIND(send); FIND(sendto); FIND(sendmsg); FIND(recv); FIND(recvfrom); FIND(recvmsg); FIND(poll);
    FIND(epoll_create1); FIND(epoll_ctl); FIND(epoll_wait); FIND(signalfd); FIND(inotify_init1);
    FIND(inotify_add_watch); FIND(ioctl); FIND(fork); FIND(clone); FIND(execve); FIND(waitpid); FIND(wait4);
    FIND(waitid); FIND(opendir); FIND(fdopendir); FIND(readdir); FIND(readlink); FIND(readlinkat); FIND(access);
    FIND(faccessat); FIND(getcwd); FIND(mmap); FIND(pthread_create); FIND(syscall);
    self = getpid();
    unsetenv("LD_PRELOAD");
    if (!path || (file = real_open(path, O_RDWR | O_CLOEXEC)) < 0)
        return;
    board = real_mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    real_close(file);
    if (board == MAP_FAILED) {
        board = NULL;
        return;
    }
    where = getenv("FAULTS_WHERE");
    places = getenv("FAULTS_PLACES");
    pthread_atfork(NULL, NULL, in_child);
}

/* Where in the Python program this is goes to that file, below a title, as faulthandler writes it. */
static void tell_where(const char *path, const char *title)
{
    static void (*dump)(int, void *);
    static void *(*thread)(void);
    int file;

    if (!path)
        return;
    if (!dump) {
        dump = (void (*)(int, void *))dlsym(RTLD_DEFAULT, "_Py_DumpTraceback");
        thread = (void *(*)(void))dlsym(RTLD_DEFAULT, "PyGILState_GetThisThreadState");
    }
    if (!dump || !thread || !thread() || (file = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        return;
    is_telling = 1;
    if (real_write(file, title, strlen(title)) > 0 || !*title)
        dump(file, thread());
    is_telling = 0;
    real_close(file);
}

/* Whether this call has to fail; errno is set then.  The child of a clone that shares our memory has no room on its
   stack, and what it calls cannot fail, but execve. */
static int fails(int call)
{
    int count, step;

    if (!board || !begun || is_telling || (call != C_execve && (pid_t)real_syscall(SYS_getpid) != self))
        return 0;
    step = board->step;
    if (step < 0 || step >= STEPS)
        return 0;
    count = __sync_add_and_fetch(&board->counts[step][depth][call], 1);
    if (places && call != C_execve) {
        char title[64];
        int before = errno; /* readdir(3) leaves it as it was at the end of a directory */
        snprintf(title, sizeof title, "\n@ %d %d %d %d\n", step, depth, call, count);
        tell_where(places, title);
        errno = before;
    }
    if (!board->armed || step != board->at_step || depth != board->at_depth)
        return 0;
    if (call == board->at_call && count == board->at_number)
        __sync_add_and_fetch(&board->hits, 1);
    else if (board->lasts && board->hits && board->affected[call])
        __sync_add_and_fetch(&board->hits, 1);
    else
        return 0;
    if (call != C_execve)
        tell_where(where, "");
    errno = board->error > 0 ? board->error : 0;
    return 1;
}

static int is_own(const char *path)
{
    static const char *const parts[] = {"/python3", "/.venv", "/.pyenv", ".py", "pyvenv.cfg", "__pycache__", ".so",
                                        "/supervisor"};
    size_t number;

    for (number = 0; number < sizeof parts / sizeof *parts; number++)
        if (strstr(path, parts[number]))
            return 1;
    return 0;
}

static int is_imported(int descriptor)
{
    return descriptor >= 0 && descriptor < 65536 && imported[descriptor / 8] >> descriptor % 8 & 1;
}

static int opened(const char *path, int descriptor)
{
    if (descriptor >= 0 && descriptor < 65536) {
        if (is_own(path))
            imported[descriptor / 8] |= (unsigned char)(1 << descriptor % 8);
        else
            imported[descriptor / 8] &= (unsigned char)~(1 << descriptor % 8);
    }
    return descriptor;
}

static int open_fails(const char *path, int flags)
{
    if (strstr(path, "/supervisor/cli/") && strstr(path, "/main."))
        is_loaded = 1;
    if (is_own(path))
        return fails(C_import);
    if (!strncmp(path, "/dev/", 5) || ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT)))
        return fails(C_open);
    return fails(C_open_write);
}

static int is_file(int descriptor)
{
    struct stat found;
    return real_fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

static int is_socket(int descriptor) /* which lies on no disk: fstat(2) of it cannot fail */
{
    struct stat found;
    return real_fstat(descriptor, &found) == 0 && S_ISSOCK(found.st_mode);
}

static int is_pair(int descriptor) /* the two ends of a socketpair(2) have no names, and what is said there gets there */
{
    struct sockaddr_un ours, theirs;
    socklen_t of_ours = sizeof ours, of_theirs = sizeof theirs;
    return real_getsockname(descriptor, (struct sockaddr *)&ours, &of_ours) == 0 && ours.sun_family == AF_UNIX
        && of_ours <= sizeof(sa_family_t) && real_getpeername(descriptor, (struct sockaddr *)&theirs, &of_theirs) == 0
        && of_theirs <= sizeof(sa_family_t);
}

static int is_stream(int descriptor)
{
    int kind;
    socklen_t size = sizeof kind;
    return real_getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_STREAM;
}

int open(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;
    va_start(more, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_fails(path, flags) ? -1 : opened(path, real_open(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;
    va_start(more, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_fails(path, flags) ? -1 : opened(path, real_open(path, flags, mode));
}

int openat(int at, const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;
    va_start(more, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_fails(path, flags) ? -1 : opened(path, real_openat(at, path, flags, mode));
}

int openat64(int at, const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;
    va_start(more, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_fails(path, flags) ? -1 : opened(path, real_openat(at, path, flags, mode));
}

ssize_t read(int descriptor, void *data, size_t size)
{
    if (!is_imported(descriptor) && !is_pair(descriptor) && fails(is_file(descriptor) ? C_read : C_read_pipe))
        return -1;
    return real_read(descriptor, data, size);
}

ssize_t pread(int descriptor, void *data, size_t size, off_t offset)
{
    return !is_imported(descriptor) && fails(C_read) ? -1 : real_pread(descriptor, data, size, offset);
}

ssize_t pread64(int descriptor, void *data, size_t size, off_t offset) { return pread(descriptor, data, size, offset); }

ssize_t write(int descriptor, const void *data, size_t size)
{
    if (!is_pair(descriptor) && fails(is_file(descriptor) ? C_write : C_write_pipe)) {
        if (board->error != CUT_SHORT)
            return -1;
        size = size > 1 ? size / 2 : size;
    }
    return real_write(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset)
{
    return fails(C_write) && board->error != CUT_SHORT ? -1 : real_pwrite(descriptor, data, size, offset);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t offset)
{
    return pwrite(descriptor, data, size, offset);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    if (fails(is_file(descriptor) ? C_write : C_write_pipe)) {
        if (board->error != CUT_SHORT)
            return -1;
        count = 1;
    }
    return real_writev(descriptor, parts, count);
}

int close(int descriptor) /* the descriptor is gone whatever close(2) returns */
{
    int result, is_ours = !is_imported(descriptor) && is_file(descriptor);
    if (descriptor >= 0 && descriptor < 65536)
        imported[descriptor / 8] &= (unsigned char)~(1 << descriptor % 8);
    result = real_close(descriptor);
    return is_ours && result == 0 && fails(C_close) ? -1 : result;
}

#define ON_PATH(result, call, name, formal, path, ...)                                                                 \
    result name formal { return !is_own(path) && fails(call) ? (result)-1 : real_##name(__VA_ARGS__); }
#define ON_SOCKET(result, call, name, formal, descriptor, ...) /* a datagram is never cut short */                     \
    result name formal                                                                                                 \
    {                                                                                                                  \
        if (!is_pair(descriptor) && fails(call) && board->error != CUT_SHORT)                                          \
            return (result)-1;                                                                                         \
        return real_##name(descriptor, __VA_ARGS__);                                                                   \
    }
#define PLAIN(result, call, name, formal, ...)                                                                         \
    result name formal { return fails(call) ? (result)-1 : real_##name(__VA_ARGS__); }

ON_PATH(int, C_stat, stat, (const char *path, struct stat *found), path, path, found)
ON_PATH(int, C_stat, lstat, (const char *path, struct stat *found), path, path, found)
ON_PATH(int, C_stat, fstatat, (int at, const char *path, struct stat *found, int flags), path, at, path, found, flags)
int stat64(const char *path, struct stat64 *found) { return stat(path, (struct stat *)found); }
int lstat64(const char *path, struct stat64 *found) { return lstat(path, (struct stat *)found); }
int fstatat64(int at, const char *path, struct stat64 *found, int flags)
{
    return fstatat(at, path, (struct stat *)found, flags);
}
int fstat(int descriptor, struct stat *found)
{
    if (descriptor == 0 && is_loaded)
        begun = 1;
    return !is_imported(descriptor) && !is_socket(descriptor) && fails(C_fstat) ? -1 : real_fstat(descriptor, found);
}
int fstat64(int descriptor, struct stat64 *found) { return fstat(descriptor, (struct stat *)found); }
PLAIN(int, C_rename, rename, (const char *from, const char *to), from, to)
PLAIN(int, C_rename, renameat, (int a, const char *from, int b, const char *to), a, from, b, to)
PLAIN(int, C_link, link, (const char *from, const char *to), from, to)
PLAIN(int, C_link, linkat, (int a, const char *from, int b, const char *to, int flags), a, from, b, to, flags)
PLAIN(int, C_unlink, unlink, (const char *path), path)
PLAIN(int, C_unlink, unlinkat, (int at, const char *path, int flags), at, path, flags)
PLAIN(int, C_mkdir, mkdir, (const char *path, mode_t mode), path, mode)
PLAIN(int, C_mkdir, mkdirat, (int at, const char *path, mode_t mode), at, path, mode)
PLAIN(int, C_chmod, chmod, (const char *path, mode_t mode), path, mode)
PLAIN(int, C_chmod, fchmod, (int descriptor, mode_t mode), descriptor, mode)
PLAIN(int, C_chmod, fchmodat, (int at, const char *path, mode_t mode, int flags), at, path, mode, flags)
PLAIN(int, C_utime, utimensat, (int at, const char *path, const struct timespec times[2], int flags), at, path, times,
      flags)
PLAIN(int, C_utime, futimens, (int descriptor, const struct timespec times[2]), descriptor, times)
PLAIN(int, C_truncate, ftruncate, (int descriptor, off_t size), descriptor, size)
PLAIN(int, C_truncate, truncate, (const char *path, off_t size), path, size)
int ftruncate64(int descriptor, off_t size) { return ftruncate(descriptor, size); }
int truncate64(const char *path, off_t size) { return truncate(path, size); }
PLAIN(int, C_sync, fsync, (int descriptor), descriptor)
PLAIN(int, C_sync, fdatasync, (int descriptor), descriptor)
PLAIN(int, C_flock, flock, (int descriptor, int operation), descriptor, operation)
PLAIN(int, C_dup, dup, (int descriptor), descriptor)
PLAIN(int, C_pipe, pipe, (int ends[2]), ends)
PLAIN(int, C_pipe, pipe2, (int ends[2], int flags), ends, flags)
PLAIN(int, C_socket, socket, (int family, int kind, int protocol), family, kind, protocol)
PLAIN(int, C_socket, socketpair, (int family, int kind, int protocol, int ends[2]), family, kind, protocol, ends)
int bind(int descriptor, const struct sockaddr *address, socklen_t size)
{
    if (fails(address->sa_family == AF_UNIX ? C_bind_path : C_bind))
        return -1;
    return real_bind(descriptor, address, size);
}

PLAIN(int, C_listen, listen, (int descriptor, int backlog), descriptor, backlog)
PLAIN(int, C_accept, accept, (int descriptor, struct sockaddr *address, socklen_t *size), descriptor, address, size)
PLAIN(int, C_accept, accept4, (int descriptor, struct sockaddr *address, socklen_t *size, int flags), descriptor,
      address, size, flags)
PLAIN(int, C_connect, connect, (int descriptor, const struct sockaddr *address, socklen_t size), descriptor, address,
      size)
PLAIN(int, C_setsockopt, setsockopt, (int descriptor, int level, int option, const void *value, socklen_t size),
      descriptor, level, option, value, size)
PLAIN(int, C_getsockopt, getsockopt, (int descriptor, int level, int option, void *value, socklen_t *size), descriptor,
      level, option, value, size)
PLAIN(int, C_getsockname, getsockname, (int descriptor, struct sockaddr *address, socklen_t *size), descriptor, address,
      size)
PLAIN(int, C_getsockname, getpeername, (int descriptor, struct sockaddr *address, socklen_t *size), descriptor, address,
      size)

ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
    if (!is_pair(descriptor) && fails(C_send)) {
        if (board->error != CUT_SHORT)
            return -1;
        size = size > 1 && is_stream(descriptor) ? size / 2 : size;
    }
    return real_send(descriptor, data, size, flags);
}

ON_SOCKET(ssize_t, C_send, sendto, (int descriptor, const void *data, size_t size, int flags,
          const struct sockaddr *address, socklen_t length), descriptor, data, size, flags, address, length)
ON_SOCKET(ssize_t, C_send, sendmsg, (int descriptor, const struct msghdr *message, int flags), descriptor, message,
          flags)
ON_SOCKET(ssize_t, C_recv, recv, (int descriptor, void *data, size_t size, int flags), descriptor, data, size, flags)
ON_SOCKET(ssize_t, C_recv, recvfrom, (int descriptor, void *data, size_t size, int flags, struct sockaddr *address,
          socklen_t *length), descriptor, data, size, flags, address, length)
ON_SOCKET(ssize_t, C_recv, recvmsg, (int descriptor, struct msghdr *message, int flags), descriptor, message, flags)
PLAIN(int, C_poll, poll, (struct pollfd *looked_at, nfds_t count, int timeout), looked_at, count, timeout)
PLAIN(int, C_epoll_create, epoll_create1, (int flags), flags)
int epoll_ctl(int set, int operation, int descriptor, struct epoll_event *event)
{
    return operation == EPOLL_CTL_ADD && fails(C_epoll_ctl) ? -1 : real_epoll_ctl(set, operation, descriptor, event);
}

PLAIN(int, C_epoll_wait, epoll_wait, (int set, struct epoll_event *events, int count, int timeout), set, events, count,
      timeout)
PLAIN(int, C_signalfd, signalfd, (int descriptor, const sigset_t *mask, int flags), descriptor, mask, flags)
PLAIN(int, C_inotify_init, inotify_init1, (int flags), flags)
PLAIN(int, C_inotify_watch, inotify_add_watch, (int descriptor, const char *path, uint32_t mask), descriptor, path,
      mask)
PLAIN(pid_t, C_fork, fork, (void))
PLAIN(int, C_fork, clone, (int (*function)(void *), void *stack, int flags, void *argument, ...), function, stack, flags,
      argument)
PLAIN(int, C_execve, execve, (const char *path, char *const *words, char *const *environment), path, words, environment)
PLAIN(pid_t, C_wait, waitpid, (pid_t pid, int *status, int options), pid, status, options)
PLAIN(pid_t, C_wait, wait4, (pid_t pid, int *status, int options, struct rusage *usage), pid, status, options, usage)
PLAIN(int, C_wait, waitid, (idtype_t kind, id_t id, siginfo_t *found, int options), kind, id, found, options)
ON_PATH(ssize_t, C_readlink, readlink, (const char *path, char *target, size_t size), path, path, target, size)
ON_PATH(ssize_t, C_readlink, readlinkat, (int at, const char *path, char *target, size_t size), path, at, path, target,
        size)
ON_PATH(int, C_access, access, (const char *path, int mode), path, path, mode)
ON_PATH(int, C_access, faccessat, (int at, const char *path, int mode, int flags), path, at, path, mode, flags)

int dup2(int from, int to) /* fails where memory is short, not where descriptors are */
{
    return real_dup2(from, to);
}

int dup3(int from, int to, int flags) { return real_dup3(from, to, flags); }

int fcntl(int descriptor, int command, ...)
{
    va_list more;
    void *argument;
    va_start(more, command);
    argument = va_arg(more, void *);
    va_end(more);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fails(C_dup))
        return -1;
    return real_fcntl(descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...)
{
    va_list more;
    void *argument;
    va_start(more, command);
    argument = va_arg(more, void *);
    va_end(more);
    return fcntl(descriptor, command, argument);
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list more;
    void *argument;
    va_start(more, request);
    argument = va_arg(more, void *);
    va_end(more);
    /* Those of seccomp_unotify(2), of which ADDFD is the fourth; the others cannot fail. */
    if ((request >> 8 & 0xff) == '!' && fails((request & 0xff) == 3 ? C_addfd : C_ioctl))
        return -1;
    return real_ioctl(descriptor, request, argument);
}

DIR *opendir(const char *path) { return !is_own(path) && fails(C_opendir) ? NULL : real_opendir(path); }
DIR *fdopendir(int descriptor) { return fails(C_opendir) ? NULL : real_fdopendir(descriptor); }
struct dirent *readdir(DIR *directory)
{
    return !is_imported(dirfd(directory)) && fails(C_readdir) ? NULL : real_readdir(directory);
}
struct dirent64 *readdir64(DIR *directory) { return (struct dirent64 *)readdir(directory); }
char *getcwd(char *path, size_t size) { return fails(C_getcwd) ? NULL : real_getcwd(path, size); }

void *mmap(void *start, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    return fails(C_mmap) ? MAP_FAILED : real_mmap(start, size, protection, flags, descriptor, offset);
}

void *mmap64(void *start, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    return mmap(start, size, protection, flags, descriptor, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*function)(void *), void *argument)
{
    return fails(C_thread) ? errno : real_pthread_create(thread, how, function, argument);
}

long syscall(long number, ...)
{
    va_list more;
    long one, two, three, four, five, six;
    int call;
    va_start(more, number);
    one = va_arg(more, long), two = va_arg(more, long), three = va_arg(more, long);
    four = va_arg(more, long), five = va_arg(more, long), six = va_arg(more, long);
    va_end(more);
    call = number == SYS_pidfd_open ? C_pidfd_open : number == SYS_pidfd_getfd ? C_getfd
         : number == SYS_seccomp ? C_seccomp : C_syscall;
    return fails(call) ? -1 : real_syscall(number, one, two, three, four, five, six);
}
