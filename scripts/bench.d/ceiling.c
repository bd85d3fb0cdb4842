/*
 * The ceiling of a fan-out on one thread: epoll, send(2) and frames that are ready, and nothing else.
 *
 *   ceiling BROADCAST_BYTES SINGLE_BYTES      sizes of the frames it sends; prints "port control-port"
 *
 * A client is whoever sends an HTTP head with "x-client: NUMBER"; it is answered with a WebSocket handshake made for one
 * fixed key, and whatever it says later with one short frame: a connection that has never heard a client behaves otherwise
 * in the kernel, which acknowledges at once or later by who has talked to whom. A control record is four bytes, little-endian: zero is an event for all clients, N one for client N.
 * Broadcasts that arrive together are sent together. It ends when standard input does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 16, BURST = 64 };
static int epoll, of_client[MOST], all[MOST], count;
static uint8_t *frames[2];
static size_t sizes[2];

static int listening(int *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(fd, (void *)&address, size) || listen(fd, 4096) || getsockname(fd, (void *)&address, &size)) {
        perror("ceiling");
        exit(70);
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void want(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* A socket that takes nothing is waited for: the ceiling of a closed loop never gets there. */
static void send_all(int fd, const uint8_t *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
            continue;
        }
        if (sent < 0) return;
        bytes += sent;
        size -= (size_t)sent;
    }
}

static uint8_t *make_frames(size_t size, int times) {
    uint8_t *bytes = malloc(size * (size_t)times);
    memset(bytes, 'x', size * (size_t)times);
    for (int i = 0; i < times; i++) {
        uint8_t *frame = bytes + (size_t)i * size;
        frame[0] = 0x81;
        frame[1] = 126;
        frame[2] = (uint8_t)((size - 4) >> 8);
        frame[3] = (uint8_t)(size - 4);
    }
    return bytes;
}

static void publish(const uint8_t *bytes, ssize_t size) {
    int together = 0;
    for (ssize_t at = 0; at + 4 <= size; at += 4) {
        uint32_t number;
        memcpy(&number, bytes + at, 4);
        if (number == 0 && ++together < BURST) continue;
        if (number > 0 && number < MOST) send_all(of_client[number], frames[1], sizes[1]);
    }
    if (together > 0)
        for (int i = 0; i < count; i++) send_all(all[i], frames[0], sizes[0] * (size_t)together);
}

static void handshake(int fd) {
    char head[2048];
    ssize_t size = recv(fd, head, sizeof head - 1, 0);
    if (size <= 0) {
        if (size == 0 || errno != EAGAIN) close(fd);
        return;
    }
    head[size] = 0;
    char *number = strcasestr(head, "x-client: ");
    if (number == NULL) return send_all(fd, (const uint8_t *)"\x81\x08{\"id\":1}", 10);
    int client = atoi(number + 10);
    if (client <= 0 || client >= MOST || count >= MOST) return;
    of_client[client] = fd;
    all[count++] = fd;
    const char *answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    send_all(fd, (const uint8_t *)answer, strlen(answer));
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 2; i++) {
        sizes[i] = (size_t)atoi(argv[i + 1]);
        if (sizes[i] < 130 || sizes[i] > 65000) return 64;
        frames[i] = make_frames(sizes[i], i == 0 ? BURST : 1);
    }
    epoll = epoll_create1(0);
    int port, control_port, control = -1;
    int clients_at = listening(&port), control_at = listening(&control_port);
    want(clients_at);
    want(control_at);
    want(STDIN_FILENO);
    printf("%d %d\n", port, control_port);
    fflush(stdout);
    static uint8_t records[1 << 16];
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) {
                char byte;
                if (read(fd, &byte, 1) <= 0) return 0;
            } else if (fd == clients_at || fd == control_at) {
                for (int accepted; (accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
                    if (fd == control_at) control = accepted;
                    want(accepted);
                }
            } else if (fd == control) {
                publish(records, recv(fd, records, sizeof records, 0));
            } else {
                handshake(fd);
            }
        }
    }
}
