# Functions that the workloads of this folder share: the connection, and the report of an unexpected answer.
#
# Each is called as WORKLOAD.pl HOST PORT SIDE. SIDE is `one` for one plain Redis, `sharded` for a proxy over several
# nodes. It ends with 0 when every step went as expected.
package _workload;
use strict;
use warnings;
use Redis;
use Exporter 'import';
our @EXPORT = qw(client expect refused $sharded);

our $sharded = $ARGV[2] eq 'sharded';

sub client { return Redis->new(server => "$ARGV[0]:$ARGV[1]", name => 'perl', @_) }

sub shown { return join ' ', map { defined ? "'$_'" : 'undef' } @_ }

sub expect {
    my ($step, $got, $wanted) = @_;
    my ($said, $expected) = (shown(@$got), shown(@$wanted));
    die "$step: expected $expected, got $said\n" if $said ne $expected;
}

# The step ends in an error with this text.
sub refused {
    my ($step, $text, $deed) = @_;
    eval { $deed->(); 1 } and die "$step: expected an error with '$text', got none\n";
    die "$step: expected an error with '$text', got $@" if index($@, $text) < 0;
}

1;
