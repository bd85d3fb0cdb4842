/*
 * Many WebSocket clients on one thread, and the one who has the server publish to them.
 *
 *   clients PORT CONTROL_PORT COUNT all|own|mixed leyden|nchan [STALLED|BYTES]
 *
 * Each client connects with the Centrifuge protocol and subscribes: `all` to channel "events", `own` to the invoice that
 * carries its number, `mixed` the last hundred to their invoices and all others to "events". Any answer that is no error will
 * do. `nchan` speaks no protocol after the handshake and is published to with requests that carry BYTES. The last STALLED of
 * them never read again.
 * Prints a line when all are subscribed and a line for each command on standard input:
 *
 *   run MILLISECONDS WINDOW BATCH     keeps WINDOW x BATCH events under way, BATCH together: "messages seconds events bytes"
 *   push EVENTS                       publishes that many as fast as the readers take them: the same line
 *   latency MILLISECONDS RATE WINDOW  keeps WINDOW events for all under way, and RATE events a second each for one of the last
 *                                     hundred: "p50 p99 most events broadcasts", microseconds until it was in the socket
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
    uint64_t asked; /* when an event was published for it, in nanoseconds; zero while there is none */
};
/* Whatever is shorter is an answer or a ping, not an event. */
enum { EVENT_BYTES = 200, AT_ONCE = 128, ALONE = 100, MOST_LATENCIES = 1 << 20 };

static int epoll, control, total, stalled, is_own, is_mixed, is_nchan, body, ready, gone, opening;
static double *latencies;
static size_t latency_count;
static uint64_t stamp; /* when the kernel got what is being read */
static struct client *clients;
static uint64_t messages, bytes_in, sent_events;
static uint8_t buffer[1 << 18];
static uint64_t seed = 88172645463325252u;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint64_t wall(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Whether it listens to an invoice of its own. */
static int is_alone(const struct client *client) { return is_own || (is_mixed && (int)client->number > total - ALONE); }

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
        if (!client->asked) {
            messages++;
        } else {
            /* The kernel's stamp: how busy this program is does not count. */
            if (latency_count < MOST_LATENCIES) latencies[latency_count++] = ((double)stamp - (double)client->asked) / 1e3;
            client->asked = 0;
        }
    } else if (size == 2) {
        say(client, "{}");
    } else if (memmem(payload, size, "\"error\"", 7)) {
        fprintf(stderr, "clients: refused: %.*s\n", (int)size, payload);
        exit(70);
    } else if (client->state == WELCOMING) {
        if (is_alone(client))
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
    if (is_nchan) return subscribed(client);
    snprintf(text, sizeof text, "{\"id\":1,\"connect\":{\"token\":\"%u\"}}", is_alone(client) ? client->number : 0);
    say(client, text);
    client->state = WELCOMING;
}

/* When the kernel got the last of the bytes stands in `stamp`. */
static ssize_t recv_stamped(int fd, void *bytes, size_t size) {
    char ancillary[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec place = {bytes, size};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = ancillary, .msg_controllen = sizeof ancillary};
    ssize_t received = recvmsg(fd, &message, 0);
    struct cmsghdr *header = received > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header != NULL && header->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec time;
        memcpy(&time, CMSG_DATA(header), sizeof time);
        stamp = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    } else if (received > 0) {
        fail("no time stamp");
    }
    return received;
}

static void readable(struct client *client) {
    size_t have = client->kept;
    if (have > 0) memcpy(buffer, client->rest, have);
    ssize_t size = client->asked ? recv_stamped(client->fd, buffer + have, sizeof buffer - have) : recv(client->fd, buffer + have, sizeof buffer - have, 0);
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
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX-Client: %u\r\n%s\r\n",
        client->number, is_mixed && is_alone(client) ? "X-Alone: 1\r\n" : "");
    if (is_mixed && is_alone(client)) setsockopt(client->fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int));
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

/* As a request with a body as long as an event; what is answered is of no interest. */
static void post(void) {
    static char request[65536], answers[65536];
    static int size;
    if (size == 0) {
        size = snprintf(request, 512, "POST /publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", body);
        memset(request + size, 'x', (size_t)body);
        size += body;
    }
    while (recv(control, answers, sizeof answers, MSG_DONTWAIT) > 0) {}
    send_all(control, request, (size_t)size);
}

static void publish(int batch) {
    static uint32_t records[4096];
    if (is_nchan) {
        for (int i = 0; i < batch; i++) post();
        sent_events += (uint64_t)batch;
        return;
    }
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

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void latency(double seconds, double rate, uint64_t window) {
    uint64_t before = messages, each = (uint64_t)(ready - ALONE), broadcasts = 0, singles = 0;
    double start = now(), last = start;
    latency_count = 0;
    for (int next = 0;;) {
        turn(0);
        double time = now() - start;
        uint64_t arrived = (messages - before) / each;
        if (time >= seconds && arrived >= broadcasts && latency_count >= singles) break;
        if (time < seconds) {
            last = now();
            for (; broadcasts - arrived < window; broadcasts++) send_all(control, &(uint32_t){0}, 4);
            for (int tries = 0; (double)singles < time * rate && tries < ALONE; tries++) {
                struct client *client = &clients[total - ALONE + next++ % ALONE];
                if (client->asked) continue;
                client->asked = wall();
                send_all(control, &client->number, 4);
                singles++;
            }
        } else if (now() - last > 20) {
            fprintf(stderr, "clients: %zu of %llu events for one have arrived\n", latency_count, (unsigned long long)singles);
            exit(70);
        }
    }
    qsort(latencies, latency_count, sizeof *latencies, ascending);
    printf(
        "%.1f %.1f %.1f %zu %llu\n", latencies[latency_count / 2], latencies[latency_count * 99 / 100], latencies[latency_count - 1], latency_count,
        (unsigned long long)broadcasts);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 6) return 64;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    total = atoi(argv[3]);
    is_own = strcmp(argv[4], "own") == 0;
    is_mixed = strcmp(argv[4], "mixed") == 0;
    is_nchan = strcmp(argv[5], "nchan") == 0;
    body = is_nchan && argc > 6 ? atoi(argv[6]) : 0;
    stalled = !is_nchan && argc > 6 ? atoi(argv[6]) : 0;
    if (total < 1 || stalled < 0 || stalled >= total || body > 60000 || (is_nchan && body < EVENT_BYTES) || (is_mixed && total <= ALONE)) return 64;
    latencies = calloc(MOST_LATENCIES, sizeof *latencies);
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
        double milliseconds, rate;
        unsigned long long window, events;
        int batch;
        if (sscanf(line, "run %lf %llu %d", &milliseconds, &window, &batch) == 3 && window > 0 && batch > 0 && batch <= 4096)
            run(milliseconds / 1000, UINT64_MAX, window, batch);
        else if (sscanf(line, "push %llu", &events) == 1)
            run(1e9, events, 4, 16);
        else if (sscanf(line, "latency %lf %lf %llu", &milliseconds, &rate, &window) == 3 && is_mixed && rate > 0)
            latency(milliseconds / 1000, rate, window);
        else
            return 64;
    }
}
