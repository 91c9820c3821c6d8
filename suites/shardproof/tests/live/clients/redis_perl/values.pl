# Values and keys of applications, by Debian's libredis-perl.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use _workload;

my $client = client();
expect('SET', [$client->set('user:1', 'Ada', 'EX', 60)], ['OK']);
expect('GET', [$client->get('user:1'), $client->get('none')], ['Ada', undef]);
expect('INCR', [$client->incr('visits'), $client->incrby('visits', 41)], [1, 42]);
expect('HSET', [$client->hset('cart', 'apple', 2, 'pear', 1)], [2]);
my %cart = $client->hgetall('cart');
expect('HGETALL', [map { $_, $cart{$_} } sort keys %cart], ['apple', 2, 'pear', 1]);
expect('RPUSH', [$client->rpush('queue', 'a', 'b')], [2]);
expect('LPOP', [$client->lpop('queue'), $client->lrange('queue', 0, -1)], ['a', 'b']);
expect('a set', [$client->sadd('tags', 'red', 'red'), $client->smembers('tags')], [1, 'red']);
expect('ZADD', [$client->zadd('scores', 1.5, 'ada', 0.5, 'bob')], [2]);
expect('ZRANGE', [$client->zrange('scores', 0, -1, 'WITHSCORES')], ['bob', 0.5, 'ada', 1.5]);
my %values = map { ("item:$_" => "value $_") } 1 .. 200;
my @names  = sort keys %values;
expect('MSET', [$client->mset(%values)], ['OK']);
expect('MGET', [$client->mget(@names)], [@values{@names}]);
expect('KEYS', [sort $client->keys('item:*')], [@names]);
my ($cursor, @found) = (0);
do {
    ($cursor, my $part) = $client->scan($cursor, 'MATCH', 'item:*', 'COUNT', 50);
    push @found, @$part;
} while ($cursor);
expect('SCAN', [sort @found], [@names]);
expect('DEL', [$client->del(@names, 'none'), $client->dbsize], [200, 6]);
my $bytes = join '', map { chr } 0 .. 255;
expect('1 MB', [$client->set($bytes, $bytes x 4096), $client->get($bytes) eq $bytes x 4096], ['OK', 1]);
expect('the name', [$client->client_getname], ['perl']);
expect('INFO', [$client->info->{redis_version} =~ /^\d+\./ ? 'a version' : 'none'], ['a version']);
refused('PUBLISH', 'pub/sub has no single node', sub { $client->publish('news', 'x') }) if $sharded;
refused('INCR of a word', 'not an integer', sub { $client->incr('user:1') });
expect('the client goes on', [$client->ping, $client->quit], ['PONG', 1]);
