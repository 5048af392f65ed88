/* Preloaded into a test: notes every write, truncation, sync and removal under TRESEN_TEST_FOLDER in the file TRESEN_TEST_LOG,
 * in the order in which they happened, so that the test can cut the stream anywhere. Syncs do nothing else: the test is the disk.
 *
 * Record: kind (1 byte), length of path (4), offset (8), length of data (8), path, data. Little-endian. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;

static void put(const void *data, size_t size) {
    if (size > 0 && syscall(SYS_write, log_file, data, size) != (ssize_t)size) abort();
}

static void note(char kind, const char *path, uint64_t offset, const void *data, uint64_t size) {
    const char *folder = getenv("TRESEN_TEST_FOLDER");
    if (folder == NULL || strncmp(path, folder, strlen(folder)) != 0) return;
    if (log_file < 0) log_file = open(getenv("TRESEN_TEST_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    uint32_t length = strlen(path);
    put(&kind, 1);
    put(&length, 4);
    put(&offset, 8);
    put(&size, 8);
    put(path, length);
    put(data, size);
}

static void note_file(char kind, int file, uint64_t offset, const void *data, uint64_t size) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    note(kind, path, offset, data, size);
}

ssize_t write(int file, const void *data, size_t size) {
    if (getenv("TRESEN_TEST_FOLDER") == NULL) return syscall(SYS_write, file, data, size);
    pthread_mutex_lock(&turn);
    off_t at = lseek(file, 0, SEEK_CUR);
    ssize_t done = syscall(SYS_write, file, data, size);
    if (done > 0 && at >= 0) note_file('W', file, at, data, done);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    pthread_mutex_lock(&turn);
    ssize_t done = syscall(SYS_pwrite64, file, data, size, at);
    if (done > 0) note_file('W', file, at, data, done);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) { return pwrite64(file, data, size, at); }

int ftruncate64(int file, off64_t size) {
    pthread_mutex_lock(&turn);
    int done = syscall(SYS_ftruncate, file, size);
    if (done == 0) note_file('T', file, size, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int fsync(int file) {
    pthread_mutex_lock(&turn);
    note_file('S', file, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return 0;
}

int fdatasync(int file) { return fsync(file); }

int unlink(const char *path) {
    pthread_mutex_lock(&turn);
    int done = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (done == 0) note('U', path, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}
