/* Preloaded: a file system without locks, as NFS without lockd. LOCK_ERRNO: what the kernel says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

static int refuse(void)
{
    const char *number = getenv("LOCK_ERRNO");
    errno = number ? atoi(number) : ENOLCK;
    return -1;
}

int flock(int file, int operation)
{
    (void)file, (void)operation;
    return refuse();
}

int lockf(int file, int command, off_t length)
{
    (void)file, (void)command, (void)length;
    return refuse();
}

static int pass(const char *name, int file, int command, void *argument)
{
    if (command == F_GETLK || command == F_SETLK || command == F_SETLKW ||
        command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW)
        return refuse();
    int (*next)(int, int, void *) = (int (*)(int, int, void *))dlsym(RTLD_NEXT, name);
    return next(file, command, argument);
}

#define FORWARD(name)                             \
    int name(int file, int command, ...)          \
    {                                             \
        va_list arguments;                        \
        va_start(arguments, command);             \
        void *argument = va_arg(arguments, void *); \
        va_end(arguments);                        \
        return pass(#name, file, command, argument); \
    }

FORWARD(fcntl)
FORWARD(fcntl64)
