/* Preloaded into a test: the 30th sync and all later ones fail as on a dying disk. */
#include <errno.h>

static int syncs;

static int fail_later(void) {
    if (++syncs < 30) return 0;
    errno = EIO;
    return -1;
}

int fsync(int file) { (void)file; return fail_later(); }
int fdatasync(int file) { (void)file; return fail_later(); }
