/*
 * The measure of the kernel transport: a plain sender and receiver on kernel SCTP, one-to-many sockets with the options
 * of the transport (SCTP_NODELAY, a SACK for each packet, RCVINFO, the same buffers and time-outs), batched calls on both sides.
 *
 *     sctp_pair receive PORT BUFFER                       prints "ready", then "messages octets seconds" for each association
 *     sctp_pair send ADDRESS PORT SIZE SECONDS BUFFER
 *
 * No library is needed but libc; the structures are those of linux/sctp.h.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, SLOT = 65536 };

static char data[BATCH][SLOT + 64];
static char control[BATCH][256] __attribute__((aligned(8)));
static struct iovec vectors[BATCH];
static struct mmsghdr messages[BATCH];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void option(int fd, int level, int name, const void *value, socklen_t length) {
  if (setsockopt(fd, level, name, value, length) < 0) die("setsockopt");
}

static int open_socket(int buffer) {
  int fd = socket(AF_INET, SOCK_SEQPACKET | SOCK_NONBLOCK, IPPROTO_SCTP), one = 1;
  if (fd < 0) die("socket");
  struct sctp_sack_info sack = {.sack_delay = 200, .sack_freq = 1};
  struct sctp_event event = {.se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  option(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
  option(fd, IPPROTO_SCTP, SCTP_DELAYED_SACK, &sack, sizeof sack);
  struct sctp_rtoinfo rto = {.srto_initial = 1000, .srto_min = 100, .srto_max = 60000};
  option(fd, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto);
  option(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &one, sizeof one);
  option(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) < 0) {
    option(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  }
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0) {
    option(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  }
  return fd;
}

static void prepare(size_t size, size_t control_length) {
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){data[i], size};
    messages[i].msg_hdr = (struct msghdr){
        .msg_iov = &vectors[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = control_length};
  }
}

static void wait_for(int fd, short events) {
  struct pollfd entry = {fd, events, 0};
  if (poll(&entry, 1, 30000) <= 0) die("poll");
}

/* Peels each association off, as the transport does, and reads it to its end. */
static void receive(int port, int buffer) {
  int listener = open_socket(buffer);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  if (listen(listener, 5) < 0) die("listen");
  puts("ready");
  fflush(stdout);
  for (;;) {
    wait_for(listener, POLLIN);
    prepare(SLOT, sizeof control[0]);
    if (recvmmsg(listener, messages, 1, MSG_DONTWAIT, NULL) < 1) continue;
    struct sctp_assoc_change *change = (void *)data[0];
    if (!(messages[0].msg_hdr.msg_flags & MSG_NOTIFICATION) || change->sac_state != SCTP_COMM_UP) continue;
    sctp_peeloff_arg_t peel = {.associd = change->sac_assoc_id};
    socklen_t length = sizeof peel;
    if (getsockopt(listener, IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF, &peel, &length) < 0) die("peeloff");
    long long count = 0, octets = 0;
    double first = 0, last = 0;
    for (int over = 0; !over;) {
      for (int i = 0; i < BATCH; i++) messages[i].msg_hdr.msg_controllen = sizeof control[0];
      int got = recvmmsg(peel.sd, messages, BATCH, MSG_DONTWAIT, NULL);
      if (got < 0) {
        if (errno != EAGAIN) break;
        wait_for(peel.sd, POLLIN);
        continue;
      }
      last = now();
      if (first == 0) first = last;
      for (int i = 0; i < got; i++) {
        if (messages[i].msg_hdr.msg_flags & MSG_NOTIFICATION) over = 1;
        else {
          octets += messages[i].msg_len;
          if (messages[i].msg_hdr.msg_flags & MSG_EOR) count++;
        }
      }
    }
    close(peel.sd);
    printf("%lld %lld %.6f\n", count, octets, last - first);
    fflush(stdout);
  }
}

static void send_to(const char *host, int port, size_t size, double seconds, int buffer) {
  int fd = open_socket(buffer);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (size > SLOT || inet_pton(AF_INET, host, &address.sin_addr) != 1) die("arguments");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) die("connect");
  wait_for(fd, POLLIN);
  prepare(SLOT, sizeof control[0]);
  while (recvmmsg(fd, messages, 1, MSG_DONTWAIT, NULL) < 1) wait_for(fd, POLLIN);
  struct sctp_assoc_change *change = (void *)data[0];
  if (change->sac_state != SCTP_COMM_UP) {
    fprintf(stderr, "no association: state %d, error %d\n", change->sac_state, change->sac_error);
    exit(1);
  }
  sctp_assoc_t id = change->sac_assoc_id;
  sctp_peeloff_arg_t peel = {.associd = id};
  socklen_t length = sizeof peel;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF, &peel, &length) < 0) die("peeloff");
  prepare(size, CMSG_SPACE(sizeof(struct sctp_sndinfo)));
  for (int i = 0; i < BATCH; i++) {
    memset(data[i], 0x42, size);
    struct cmsghdr *header = (void *)control[i];
    *header = (struct cmsghdr){CMSG_LEN(sizeof(struct sctp_sndinfo)), IPPROTO_SCTP, SCTP_SNDINFO};
    *(struct sctp_sndinfo *)CMSG_DATA(header) = (struct sctp_sndinfo){.snd_assoc_id = id};
  }
  for (double end = now() + seconds; now() < end;) {
    if (sendmmsg(peel.sd, messages, BATCH, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) continue;
    if (errno != EAGAIN) die("sendmmsg");
    wait_for(peel.sd, POLLOUT);
  }
  close(peel.sd); /* SHUTDOWN behind all that is queued */
}

int main(int count, char **words) {
  if (count == 4 && strcmp(words[1], "receive") == 0) receive(atoi(words[2]), atoi(words[3]));
  else if (count == 7 && strcmp(words[1], "send") == 0) {
    send_to(words[2], atoi(words[3]), atol(words[4]), atof(words[5]), atoi(words[6]));
  } else {
    fprintf(stderr, "usage: sctp_pair receive PORT BUFFER | send ADDRESS PORT SIZE SECONDS BUFFER\n");
    return 2;
  }
  return 0;
}
