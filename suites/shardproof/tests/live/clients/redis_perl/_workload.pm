# What the workloads of this folder share: whom they ask, and what they say where an answer is not the expected one.
#
# Each is called as WORKLOAD.pl HOST PORT SIDE. SIDE is `one` where one plain Redis answers, `sharded` where a proxy with
# several nodes does. It ends with 0 when every step went as expected.
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

# The deed ends in an error that says this.
sub refused {
    my ($step, $text, $deed) = @_;
    eval { $deed->(); 1 } and die "$step: expected an error with '$text', got none\n";
    die "$step: expected an error with '$text', got $@" if index($@, $text) < 0;
}

1;
