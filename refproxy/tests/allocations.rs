//! Finding a key's node allocates no memory, under any policy.

use placement::hash::{Digest, TagRule};
use placement::{Cluster, Node, Placement, Policy};

#[test]
fn a_lookup_allocates_nothing() {
    let digests = Digest::all().map(|digest| Policy::Ketama { digest });
    let others = Policy::all();
    for policy in others.chain(digests).filter(|policy| !policy.scatters()) {
        let nodes = (1..=3).map(|node| Node::at(format!("127.0.0.1:{node}")));
        let mut cluster = Cluster::new(policy.clone(), nodes.collect());
        cluster.tags = TagRule::BRACES;
        let placement = Placement::new(&cluster).unwrap();
        let long = vec![b'x'; 100_000];
        let memory = allocation_counter::measure(|| {
            for key in [&b""[..], b"key:1", b"{tag}rest", &long] {
                std::hint::black_box(placement.node(key));
            }
        });
        assert_eq!(memory.count_total, 0, "{policy:?}");
    }
    let seen = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8])));
    assert_eq!(seen.count_total, 1, "the counter counts");
}
