/*
 * What a log with one reader costs at least: rows that are committed when they are due, all that are due together, and each
 * then sent to the reader.
 *
 *   outbox DSN BYTES      size of the frames it sends; prints "port"
 *
 * Table alone.events has to be there. Whoever connects to the port is the reader. For each line "RATE MILLISECONDS FIRST" on
 * standard input it commits that many events a second, with offsets from FIRST on, and prints how many there were.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "outbox: %s\n", what);
    exit(70);
}

static void insert(PGconn *connection, long long first, long long count) {
    char from[24], to[24];
    snprintf(from, sizeof from, "%lld", first);
    snprintf(to, sizeof to, "%lld", first + count - 1);
    const char *values[] = {from, to};
    PGresult *result = PQexecPrepared(connection, "insert", 2, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQerrorMessage(connection));
    PQclear(result);
}

/* The end is that of a publication, by which a reader knows the offset. */
static void send_event(int fd, long long offset, int size) {
    static char frame[65536];
    char end[64];
    int length = snprintf(end, sizeof end, "\",\"offset\":%lld}}}", offset);
    frame[0] = (char)0x81;
    frame[1] = 126;
    frame[2] = (char)((size - 4) >> 8);
    frame[3] = (char)(size - 4);
    memset(frame + 4, 'x', (size_t)(size - 4 - length));
    memcpy(frame + size - length, end, (size_t)length);
    if (send(fd, frame, (size_t)size, MSG_NOSIGNAL) != size) fail("the reader is gone");
}

int main(int argc, char **argv) {
    int size = argc == 3 ? atoi(argv[2]) : 0;
    if (size < 130 || size > 65000) return 64;
    signal(SIGPIPE, SIG_IGN);
    PGconn *connection = PQconnectdb(argv[1]);
    if (PQstatus(connection) != CONNECTION_OK) fail(PQerrorMessage(connection));
    PGresult *prepared = PQprepare(
        connection, "insert",
        "INSERT INTO alone.events SELECT o, 1, now(), 'evt_' || md5(o::text), 'invoice.created', decode(repeat(md5(o::text), 2), 'hex'), "
        "'{\"payment_hash\":\"' || repeat(md5(o::text), 2) || '\",\"amount_msat\":21000}' FROM generate_series($1::bigint, $2::bigint) o",
        0, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK) fail(PQerrorMessage(connection));
    PQclear(prepared);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (void *)&address, length) || listen(listener, 1) || getsockname(listener, (void *)&address, &length)) fail(strerror(errno));
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int reader = accept(listener, NULL, NULL);
    if (reader < 0) fail(strerror(errno));
    setsockopt(reader, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    char line[128];
    while (fgets(line, sizeof line, stdin) != NULL) {
        double rate, milliseconds;
        long long first, done = 0;
        if (sscanf(line, "%lf %lf %lld", &rate, &milliseconds, &first) != 3 || rate <= 0) return 64;
        for (double start = now(); now() - start < milliseconds / 1000;) {
            long long due = (long long)((now() - start) * rate);
            if (due == done) {
                usleep(200);
                continue;
            }
            insert(connection, first + done, due - done);
            for (; done < due; done++) send_event(reader, first + done, size);
        }
        printf("%lld\n", done);
        fflush(stdout);
    }
    return 0;
}
