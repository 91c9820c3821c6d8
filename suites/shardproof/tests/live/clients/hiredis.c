/* hiredis' synchronous interface at small real work.
 *
 * Called as hiredis HOST PORT SIDE WORKLOAD. SIDE is `one` where one plain Redis answers, `sharded` where a proxy with
 * several nodes does. It ends with 0 when every step went as expected. */

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static redisContext *client;
static int sharded;

#define fail(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

/* The reply, which is never missing. */
static redisReply *some(const char *step, redisReply *reply) {
    if (!reply) fail("%s: no reply, %s", step, client->errstr);
    return reply;
}

static redisReply *next(const char *step) {
    void *reply = NULL;
    if (redisGetReply(client, &reply) != REDIS_OK) fail("%s: no reply, %s", step, client->errstr);
    return some(step, reply);
}

static const char *said(const redisReply *reply) { return reply->str ? reply->str : ""; }

static void text(const char *step, redisReply *reply, const char *wanted, size_t length) {
    some(step, reply);
    if ((reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS) || (size_t)reply->len != length ||
        memcmp(reply->str, wanted, length))
        fail("%s: expected \"%s\", got type %d \"%s\"", step, wanted, reply->type, said(reply));
    freeReplyObject(reply);
}

static void word(const char *step, redisReply *reply, const char *wanted) { text(step, reply, wanted, strlen(wanted)); }

static void number(const char *step, redisReply *reply, long long wanted) {
    some(step, reply);
    if (reply->type != REDIS_REPLY_INTEGER || reply->integer != wanted)
        fail("%s: expected %lld, got type %d, %lld %s", step, wanted, reply->type, reply->integer, said(reply));
    freeReplyObject(reply);
}

static void of_type(const char *step, redisReply *reply, int type) {
    some(step, reply);
    if (reply->type != type) fail("%s: expected type %d, got %d %s", step, type, reply->type, said(reply));
    freeReplyObject(reply);
}

/* An error with this code and this text. */
static void error(const char *step, redisReply *reply, const char *begins, const char *says) {
    some(step, reply);
    if (reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, begins, strlen(begins)) || !strstr(reply->str, says))
        fail("%s: expected %s with \"%s\", got type %d %s", step, begins, says, reply->type, said(reply));
    freeReplyObject(reply);
}

#define ask(...) redisCommand(client, __VA_ARGS__)

static void values(void) {
    word("SET", ask("SET %s %s EX 60", "user:1", "Ada"), "OK");
    word("GET", ask("GET user:1"), "Ada");
    of_type("GET of what is not there", ask("GET user:2"), REDIS_REPLY_NIL);
    number("INCRBY", ask("INCRBY visits %d", 42), 42);
    number("HSET", ask("HSET cart apple 2 pear 1"), 2);
    number("RPUSH", ask("RPUSH queue a b c"), 3);
    redisReply *list = some("LRANGE", ask("LRANGE queue 0 -1"));
    if (list->elements != 3) fail("LRANGE: expected 3 elements, got %zu", list->elements);
    freeReplyObject(list);
    number("ZADD", ask("ZADD scores %f ada", 1.5), 1);
    word("ZSCORE", ask("ZSCORE scores ada"), "1.5");

    /* Every byte, also 0, in key and value. */
    char bytes[256];
    for (int byte = 0; byte < 256; byte++) bytes[byte] = (char)byte;
    word("SET of bytes", ask("SET %b %b", bytes, sizeof bytes, bytes, sizeof bytes), "OK");
    text("GET of bytes", ask("GET %b", bytes, sizeof bytes), bytes, sizeof bytes);
    const char *arguments[] = {"APPEND", bytes, "\0\r\n"};
    const size_t lengths[] = {6, sizeof bytes, 3};
    number("APPEND of bytes", redisCommandArgv(client, 3, arguments, lengths), 259);

    size_t large = 1 << 20;
    char *much = malloc(large);
    if (!much) fail("no memory");
    memset(much, 'x', large);
    word("SET of 1 MB", ask("SET large %b", much, large), "OK");
    text("GET of 1 MB", ask("GET large"), much, large);
    free(much);
    error("INCR of a word", ask("INCR user:1"), "ERR", "not an integer");
    word("the connection goes on", ask("GET user:1"), "Ada");
}

static void pipelines(void) {
    for (int i = 0; i < 1000; i++) {
        redisAppendCommand(client, "SET key:%d %d", i, i);
        redisAppendCommand(client, "GET key:%d", i);
        redisAppendCommand(client, "INCR key:%d", i);
    }
    for (int i = 0; i < 1000; i++) {
        char wanted[12];
        snprintf(wanted, sizeof wanted, "%d", i);
        word("SET in a pipeline", next("SET in a pipeline"), "OK");
        word("GET in a pipeline", next("GET in a pipeline"), wanted);
        number("INCR in a pipeline", next("INCR in a pipeline"), i + 1);
    }
    redisAppendCommand(client, "MSET key:1 a key:2 b key:3 c");
    redisAppendCommand(client, "MGET key:3 none key:1 key:2");
    redisAppendCommand(client, "NONSENSE");
    redisAppendCommand(client, "DEL key:1 key:2 key:3 none");
    redisAppendCommand(client, "DBSIZE");
    word("MSET", next("MSET"), "OK");
    redisReply *got = next("MGET");
    if (got->elements != 4 || strcmp(got->element[0]->str, "c") || got->element[1]->type != REDIS_REPLY_NIL ||
        strcmp(got->element[2]->str, "a") || strcmp(got->element[3]->str, "b"))
        fail("MGET: not c nil a b");
    freeReplyObject(got);
    error("an unknown command", next("an unknown command"), "ERR unknown command", "NONSENSE");
    number("DEL", next("DEL"), 3);
    number("DBSIZE", next("DBSIZE"), 997);
}

static void transactions(void) {
    word("MULTI", ask("MULTI"), "OK");
    word("INCR", ask("INCR {bill}total"), "QUEUED");
    word("RPUSH", ask("RPUSH {bill}lines tea"), "QUEUED");
    redisReply *done = some("EXEC", ask("EXEC"));
    if (done->elements != 2 || done->element[0]->integer != 1 || done->element[1]->integer != 1) fail("EXEC: not 1 1");
    freeReplyObject(done);
    word("MULTI", ask("MULTI"), "OK");
    word("DISCARD", ask("DISCARD"), "OK");

    /* Another client writes the watched key. */
    word("WATCH", ask("WATCH {bill}total"), "OK");
    redisContext *other = redisConnect(client->tcp.host, client->tcp.port);
    if (!other || other->err) fail("another connection: %s", other ? other->errstr : "no memory");
    number("INCR by somebody else", redisCommand(other, "INCR {bill}total"), 2);
    redisFree(other);
    word("MULTI", ask("MULTI"), "OK");
    word("SET", ask("SET {bill}total 0"), "QUEUED");
    of_type("EXEC of what was watched", ask("EXEC"), REDIS_REPLY_NIL);
    word("it is kept", ask("GET {bill}total"), "2");

    word("MULTI over several nodes", ask("MULTI"), "OK");
    for (int i = 0; i < 40; i++) freeReplyObject(some("SET in MULTI", ask("SET far:%d x", i)));
    redisReply *far = some("EXEC over several nodes", ask("EXEC"));
    if (sharded) error("EXEC over several nodes", far, "EXECABORT", "discarded");
    else if (far->elements != 40) fail("EXEC on one node: expected 40 replies, got %zu", far->elements);
    else freeReplyObject(far);
    number("all of it or nothing", ask("EXISTS far:0 far:1 far:2 far:3 far:4"), sharded ? 0 : 5);
}

static void refusals(void) {
    if (sharded) {
        error("PUBLISH", ask("PUBLISH news x"), "ERR", "pub/sub has no single node");
        error("SUBSCRIBE", ask("SUBSCRIBE news"), "ERR", "pub/sub has no single node");
        error("BLPOP", ask("BLPOP queue 1"), "ERR", "'BLPOP'");
    } else {
        number("PUBLISH", ask("PUBLISH news x"), 0);
        of_type("BLPOP", ask("BLPOP queue 0.01"), REDIS_REPLY_NIL);
    }
    word("the connection goes on", ask("SET a 1"), "OK");
    if (redisReconnect(client) != REDIS_OK) fail("reconnect: %s", client->errstr);
    word("connected again", ask("GET a"), "1");
}

int main(int count, char **arguments) {
    if (count != 5) fail("usage: hiredis HOST PORT one|sharded WORKLOAD");
    sharded = !strcmp(arguments[3], "sharded");
    client = redisConnect(arguments[1], atoi(arguments[2]));
    if (!client || client->err) fail("connect: %s", client ? client->errstr : "no memory");
    const struct { const char *name; void (*work)(void); } workloads[] = {
        {"values", values}, {"pipelines", pipelines}, {"transactions", transactions}, {"refusals", refusals}};
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (!strcmp(arguments[4], workloads[i].name)) {
            workloads[i].work();
            redisFree(client);
            return 0;
        }
    fail("no workload is called %s", arguments[4]);
}
