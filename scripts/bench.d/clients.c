/*
 * Many WebSocket clients on one thread, and the one who has the server publish to them.
 *
 *   clients PORT CONTROL_PORT COUNT all|own [STALLED]
 *
 * Each client connects with the Centrifuge protocol and subscribes: `all` to channel "events", `own` to the invoice that
 * carries its number. Any answer that is no error will do. The last STALLED of them never read again.
 * Prints a line when all are subscribed and a line for each command on standard input:
 *
 *   run MILLISECONDS WINDOW BATCH     keeps WINDOW x BATCH events under way, BATCH together: "messages seconds events bytes"
 *   push EVENTS                       publishes that many as fast as the readers take them: the same line
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include <time.h>
#include <unistd.h>

enum state { CONNECTING, UPGRADING, WELCOMING, SUBSCRIBING, READY, STALLED, GONE };
struct client {
    int fd;
    enum state state;
    uint32_t number, kept;
    uint8_t *rest;
};
/* Whatever is shorter is an answer or a ping, not an event. */
enum { EVENT_BYTES = 200, AT_ONCE = 128 };

static int epoll, control, total, stalled, is_own, ready, gone, opening;
static struct client *clients;
static uint64_t messages, bytes_in, sent_events;
static uint8_t buffer[1 << 18];
static uint64_t seed = 88172645463325252u;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "clients: %s: %s\n", what, strerror(errno));
    exit(70);
}

static void send_all(int fd, const void *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
            continue;
        }
        if (sent < 0) return;
        bytes = (const char *)bytes + sent;
        size -= (size_t)sent;
    }
}

/* Clients have to mask; a mask of zeros is one too. */
static void say(struct client *client, const char *text) {
    uint8_t frame[512];
    size_t size = strlen(text), head = size < 126 ? 6 : 8;
    frame[0] = 0x81;
    if (size < 126) {
        frame[1] = (uint8_t)(0x80 | size);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(size >> 8);
        frame[3] = (uint8_t)size;
    }
    memset(frame + head - 4, 0, 4);
    memcpy(frame + head, text, size);
    send_all(client->fd, frame, head + size);
}

static int connect_to(int port, int source) {
    int fd = socket(AF_INET, SOCK_STREAM | (source ? SOCK_NONBLOCK : 0), 0);
    if (fd < 0) fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)source)};
    if (source) {
        /* A port of its own for each pair of addresses, and no TIME_WAIT of ten thousand sockets afterwards. */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        if (bind(fd, (void *)&here, sizeof here)) fail("bind");
    }
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (void *)&there, sizeof there) && errno != EINPROGRESS) fail("connect");
    return fd;
}

static void drop(struct client *client, const char *why) {
    if (client->state != READY && client->state != STALLED) {
        fprintf(stderr, "clients: %s\n", why);
        exit(70);
    }
    if (client->state == READY) ready--;
    gone++;
    client->state = GONE;
    close(client->fd);
}

static void subscribed(struct client *client) {
    opening--;
    client->state = READY;
    if ((int)client->number > total - stalled) {
        client->state = STALLED;
        epoll_ctl(epoll, EPOLL_CTL_DEL, client->fd, NULL);
    } else {
        ready++;
    }
}

static void took(struct client *client, int opcode, const uint8_t *payload, size_t size) {
    char text[256];
    if (opcode == 8) return drop(client, "the server closed a connection");
    if (opcode == 9) fail("an unexpected ping");
    if (client->state == READY && size >= EVENT_BYTES) {
        messages++;
    } else if (size == 2) {
        say(client, "{}");
    } else if (memmem(payload, size, "\"error\"", 7)) {
        fprintf(stderr, "clients: refused: %.*s\n", (int)size, payload);
        exit(70);
    } else if (client->state == WELCOMING) {
        if (is_own)
            snprintf(text, sizeof text, "{\"id\":2,\"subscribe\":{\"channel\":\"invoice:%064x\"}}", client->number);
        else
            snprintf(text, sizeof text, "{\"id\":2,\"subscribe\":{\"channel\":\"events\"}}");
        say(client, text);
        client->state = SUBSCRIBING;
    } else if (client->state == SUBSCRIBING) {
        subscribed(client);
    }
}

static size_t take_frames(struct client *client, const uint8_t *bytes, size_t size) {
    size_t at = 0;
    while (size - at >= 2 && client->state != GONE) {
        size_t length = bytes[at + 1] & 127, head = 2;
        if (length == 126) {
            if (size - at < 4) break;
            length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
            head = 4;
        } else if (length == 127) {
            fail("a frame of more than 64 KiB");
        }
        if (size - at < head + length) break;
        took(client, bytes[at] & 15, bytes + at + head, length);
        at += head + length;
    }
    return at;
}

static void upgraded(struct client *client) {
    char text[64];
    snprintf(text, sizeof text, "{\"id\":1,\"connect\":{\"token\":\"%u\"}}", is_own ? client->number : 0);
    say(client, text);
    client->state = WELCOMING;
}

static void readable(struct client *client) {
    size_t have = client->kept;
    if (have > 0) memcpy(buffer, client->rest, have);
    ssize_t size = recv(client->fd, buffer + have, sizeof buffer - have, 0);
    if (size <= 0) {
        if (size == 0 || errno != EAGAIN) drop(client, "a connection was lost");
        return;
    }
    bytes_in += (uint64_t)size;
    have += (size_t)size;
    size_t used = 0;
    if (client->state == UPGRADING) {
        uint8_t *end = memmem(buffer, have, "\r\n\r\n", 4);
        if (end != NULL) {
            if (!memmem(buffer, have, " 101 ", 5) || !memmem(buffer, have, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28)) {
                fprintf(stderr, "clients: no handshake: %.*s\n", (int)have, buffer);
                exit(70);
            }
            used = (size_t)(end + 4 - buffer);
            upgraded(client);
        }
    }
    if (client->state > UPGRADING) used += take_frames(client, buffer + used, have - used);
    if (client->state == GONE) return;
    client->kept = (uint32_t)(have - used);
    if (client->kept == 0) return;
    client->rest = realloc(client->rest, client->kept);
    memcpy(client->rest, buffer + used, client->kept);
}

static void opened(struct client *client) {
    char head[512];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event);
    int size = snprintf(
        head, sizeof head,
        "GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX-Client: %u\r\n\r\n",
        client->number);
    client->state = UPGRADING;
    send_all(client->fd, head, (size_t)size);
}

/* False when standard input has something to say. */
static int turn(int wait) {
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, wait), is_asked = 0;
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (client == NULL) is_asked = 1;
        else if (client->state == CONNECTING) opened(client);
        else if (client->state != GONE) readable(client);
    }
    return !is_asked;
}

static void open_all(int port) {
    double last = now();
    for (int next = 0, before = 0; next < total || opening > 0;) {
        while (next < total && opening < AT_ONCE) {
            struct client *client = &clients[next];
            *client = (struct client){.fd = connect_to(port, 1 + next % 16), .number = (uint32_t)++next};
            /* A reader that stalls has little room, so that the server notices soon. */
            if (next > total - stalled) setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
            struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
            epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
            opening++;
        }
        turn(100);
        if (next - opening != before) {
            before = next - opening;
            last = now();
        } else if (now() - last > 20) {
            fprintf(stderr, "clients: nothing has happened for 20 s at client %d\n", before);
            exit(70);
        }
    }
}

static void publish(int batch) {
    static uint32_t records[4096];
    for (int i = 0; i < batch; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        records[i] = is_own ? 1 + (uint32_t)((seed >> 32) % (uint64_t)total) : 0;
    }
    sent_events += (uint64_t)batch;
    send_all(control, records, (size_t)batch * 4);
}

static void run(double seconds, uint64_t most, uint64_t window, int batch) {
    uint64_t messages_before = messages, bytes_before = bytes_in, each = is_own ? 1 : (uint64_t)ready, seen = messages;
    double start = now(), last = start;
    sent_events = 0;
    for (;;) {
        /* Busy, so that the server does not pay for waking a sleeper that would be another machine. */
        turn(0);
        double time = now();
        uint64_t arrived = (messages - messages_before) / each;
        int is_over = time - start >= seconds || sent_events >= most;
        if (is_over && arrived >= sent_events) break;
        if (messages != seen) {
            seen = messages;
            last = time;
        } else if (time - last > 20) {
            fprintf(stderr, "clients: %llu of %llu events have arrived\n", (unsigned long long)arrived, (unsigned long long)sent_events);
            exit(70);
        }
        while (!is_over && sent_events - arrived + (uint64_t)batch <= window * (uint64_t)batch && sent_events < most) publish(batch);
    }
    printf(
        "%llu %.6f %llu %llu\n", (unsigned long long)(messages - messages_before), now() - start, (unsigned long long)sent_events,
        (unsigned long long)(bytes_in - bytes_before));
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 5) return 64;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    total = atoi(argv[3]);
    is_own = strcmp(argv[4], "own") == 0;
    stalled = argc > 5 ? atoi(argv[5]) : 0;
    if (total < 1 || stalled < 0 || stalled >= total) return 64;
    clients = calloc((size_t)total, sizeof *clients);
    epoll = epoll_create1(0);
    control = connect_to(atoi(argv[2]), 0);
    open_all(atoi(argv[1]));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    printf("ready %d\n", ready);
    fflush(stdout);
    char line[128];
    for (;;) {
        /* Pings are answered while nobody asks. */
        while (turn(1000)) {}
        if (fgets(line, sizeof line, stdin) == NULL) return 0;
        double milliseconds;
        unsigned long long window, events;
        int batch;
        if (sscanf(line, "run %lf %llu %d", &milliseconds, &window, &batch) == 3 && window > 0 && batch > 0 && batch <= 4096)
            run(milliseconds / 1000, UINT64_MAX, window, batch);
        else if (sscanf(line, "push %llu", &events) == 1)
            run(1e9, events, 4, 16);
        else
            return 64;
    }
}
