# Pipelines by callbacks, and transactions, by Debian's libredis-perl.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use _workload;

my $client = client(reconnect => 10);
my @got;
for my $number (1 .. 300) {
    $client->set("key:$number", $number, sub { });
    $client->get("key:$number", sub { push @got, $_[0] });
}
$client->wait_all_responses;
expect('a pipeline', \@got, [1 .. 300]);

my $error;
$client->set('word', 'five', sub { });
$client->incr('word', sub { $error = $_[1] });
$client->get('word', sub { @got = ($_[0]) });
$client->wait_all_responses;
expect('an error in its place', [$error =~ /not an integer/ ? 'an error' : 'none', @got], ['an error', 'five']);

$client->multi;
$client->incr('{t}a');
$client->rpush('{t}b', 'x', 'y');
expect('a transaction', [$client->exec], [1, 2]);

my $other = client();
$client->watch('{t}a');
$other->incr('{t}a');
$client->multi;
$client->set('{t}a', 0);
my @replies = $client->exec;
expect('WATCH', [scalar(grep { defined } @replies), $client->get('{t}a')], [0, 2]);
expect('EVAL', [$client->eval("return {KEYS[1], ARGV[1]}", 1, 'key:1', 'x')], ['key:1', 'x']);
