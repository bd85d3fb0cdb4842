/*
 * HTTP requests over and over, on connections that stay open, each with one request under way.
 *
 *   http PORT CONNECTIONS [STATUS]
 *
 * Standard input begins with the length of a request in bytes and, if there are more than one, which are then asked for in
 * turn and all have this length, their number, on a line, and the requests. After it, for each line, which is a number of
 * milliseconds, prints "answers seconds refused p99": refused are those without the status (201), p99 is in milliseconds
 * from a request to its whole answer.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, ANSWER = 65536, STEPS = 1 << 20 };
static struct connection {
    int fd, is_busy;
    size_t have;
    double asked;
    char answer[ANSWER + 1];
} connections[MOST];
static char *requests;
static int request_size, request_count = 1, next_request;
static char expected[32];
static uint64_t answers, refused;
/* How many answers took so many microseconds. */
static uint32_t took[STEPS];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(70);
}

static void ask(struct connection *connection) {
    const char *request = requests + (size_t)request_size * (size_t)next_request;
    next_request = (next_request + 1) % request_count;
    connection->is_busy = 1;
    connection->asked = now();
    if (send(connection->fd, request, (size_t)request_size, MSG_NOSIGNAL) != request_size) fail("http: send");
}

/* True when a whole answer is there. */
static int read_answer(struct connection *connection) {
    ssize_t size = recv(connection->fd, connection->answer + connection->have, ANSWER - connection->have, 0);
    if (size <= 0) fail("http: recv");
    connection->have += (size_t)size;
    connection->answer[connection->have] = 0;
    char *end = strstr(connection->answer, "\r\n\r\n"), *length = strcasestr(connection->answer, "content-length: ");
    if (end == NULL) return 0;
    if (length == NULL || length > end) fail("http: no content-length");
    if (connection->have < (size_t)(end + 4 - connection->answer) + (size_t)atol(length + 16)) return 0;
    if (strncmp(connection->answer, expected, strlen(expected)) != 0 && refused++ == 0) fprintf(stderr, "http: %.300s\n", connection->answer);
    connection->have = 0;
    connection->is_busy = 0;
    double microseconds = (now() - connection->asked) * 1e6;
    took[microseconds < STEPS ? (int)microseconds : STEPS - 1]++;
    answers++;
    return 1;
}

static double p99(void) {
    uint64_t rest = answers / 100;
    int step = STEPS - 1;
    while (step > 0 && took[step] <= rest) rest -= took[step--];
    return step / 1e3;
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 4) return 64;
    snprintf(expected, sizeof expected, "HTTP/1.1 %s", argc == 4 ? argv[3] : "201");
    int count = atoi(argv[2]), epoll = epoll_create1(0);
    char line[64];
    if (count < 1 || count > MOST || fgets(line, sizeof line, stdin) == NULL || sscanf(line, "%d %d", &request_size, &request_count) < 1) return 64;
    if (request_size <= 0 || request_count <= 0) return 64;
    size_t size = (size_t)request_size * (size_t)request_count;
    requests = malloc(size);
    if (fread(requests, 1, size, stdin) != size) return 64;
    for (int i = 0; i < count; i++) {
        struct sockaddr_in there = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        connections[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(connections[i].fd, (void *)&there, sizeof there)) fail("http: connect");
        setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }
    while (fgets(line, sizeof line, stdin)) {
        double start = now(), seconds = atof(line) / 1000, end = start + seconds;
        int busy = count;
        answers = refused = 0;
        memset(took, 0, sizeof took);
        for (int i = 0; i < count; i++) ask(&connections[i]);
        while (busy > 0) {
            struct epoll_event events[256];
            int ready = epoll_wait(epoll, events, 256, 5000), is_over = now() >= end;
            if (ready <= 0) fail("http: no answer");
            for (int i = 0; i < ready; i++) {
                struct connection *connection = events[i].data.ptr;
                if (!read_answer(connection)) continue;
                if (is_over) busy--;
                else ask(connection);
            }
        }
        printf("%llu %.6f %llu %.3f\n", (unsigned long long)answers, now() - start, (unsigned long long)refused, p99());
        fflush(stdout);
    }
}
