/*
 * A server that answers every POST with 201 as fast as it can, or, as `receiver hang`, never.
 *
 * Prints its port. Then for each line of standard input: "requests seconds", all so far and the time of the last one.
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

enum { MOST = 4096, ROOM = 65536 };
static struct connection {
    size_t have;
    char *text;
} connections[MOST];
static const char answer[] = "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n";
static uint64_t requests;
static double last;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void end(int fd) {
    free(connections[fd].text);
    connections[fd] = (struct connection){0};
    close(fd);
}

/* Answers what is complete; what is not stays. */
static void serve(int fd) {
    struct connection *connection = &connections[fd];
    if (connection->text == NULL) connection->text = malloc(ROOM + 1);
    ssize_t size = recv(fd, connection->text + connection->have, ROOM - connection->have, 0);
    if (size <= 0) return end(fd);
    connection->have += (size_t)size;
    for (;;) {
        connection->text[connection->have] = 0;
        char *head = strstr(connection->text, "\r\n\r\n"), *length = strcasestr(connection->text, "content-length: ");
        if (head == NULL) return;
        size_t whole = (size_t)(head + 4 - connection->text) + (length != NULL && length < head ? (size_t)atol(length + 16) : 0);
        if (connection->have < whole) return;
        memmove(connection->text, connection->text + whole, connection->have - whole);
        connection->have -= whole;
        requests++;
        last = now();
        if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) return end(fd);
    }
}

int main(int argc, char **argv) {
    int hangs = argc > 1 && strcmp(argv[1], "hang") == 0, epoll = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    if (bind(listener, (void *)&here, size) || listen(listener, 1024) || getsockname(listener, (void *)&here, &size)) return 70;
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.fd = 0});
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == 0) {
                char line[64];
                if (fgets(line, sizeof line, stdin) == NULL) return 0;
                printf("%llu %.6f\n", (unsigned long long)requests, last);
                fflush(stdout);
            } else if (fd == listener) {
                int client;
                while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                    if (client >= MOST) {
                        close(client);
                    } else if (!hangs) {
                        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
                        epoll_ctl(epoll, EPOLL_CTL_ADD, client, &(struct epoll_event){.events = EPOLLIN, .data.fd = client});
                    }
                }
            } else {
                serve(fd);
            }
        }
    }
}
