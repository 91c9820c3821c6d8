//! Clusters, and chains of those that follow each other directly.

/// The role of an operation in the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// It belongs to no cluster.
    None,
    /// It is in the cluster of the write of this value; `None` is the absent key before the first write.
    Reads(Option<u32>),
    /// It begins a cluster: directly after that of this value, or anywhere.
    Writes {
        /// The value that it saw.
        after: Option<Option<u32>>,
    },
}

/// Clusters in chains.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chains {
    /// The operations of all chains, those of each in an order that explains their replies.
    members: Vec<u32>,
    /// Where each chain ends in `members`.
    ends: Vec<usize>,
    /// By operation, its chain.
    pub(super) of: Vec<Option<u32>>,
    /// The chain that begins with the absent key.
    pub(super) first: Option<u32>,
}

impl Chains {
    /// The operations of each chain.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let places = starts.zip(&self.ends);
        places.map(|(start, end)| &self.members[start..*end])
    }

    /// Ends the chain whose operations were added last.
    fn end(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        let chain = self.ends.len() as u32;
        for member in &self.members[start..] {
            self.of[*member as usize] = Some(chain);
        }
        if self.members.len() > start {
            self.ends.push(self.members.len());
        }
    }
}

/// One cluster: its writer, the first and last of its reads, and the cluster that follows it directly.
#[derive(Debug, Clone, Copy, Default)]
struct Cluster {
    writer: Option<u32>,
    reads: Option<(u32, u32)>,
    next: Option<u32>,
    follows: bool,
}

/// Builds the chains. `writers` are the writing operations by value.
///
/// `None` if a value was seen that is never written, or that two operations replaced, or if a chain has no beginning.
pub(super) fn chains(links: &[Link], writers: &[Option<u32>]) -> Option<Chains> {
    let mut clusters = Clusters::new(links);
    for (index, link) in (0..).zip(links) {
        let (Link::Reads(value) | Link::Writes { after: Some(value) }) = *link else {
            continue;
        };
        let cluster = match value {
            None => 0,
            Some(value) => clusters.of_writer(writers[value as usize]?)?,
        };
        match link {
            Link::Reads(_) => clusters.read(cluster, index),
            _ => clusters.follow(cluster, index)?,
        }
    }
    clusters.chains(links.len())
}

/// Cluster 0 is the absent key; the others have a writer.
struct Clusters {
    all: Vec<Cluster>,
    /// By operation, the cluster that it begins.
    begun: Vec<Option<u32>>,
    /// By operation, the next read of the same cluster.
    next_reads: Vec<Option<u32>>,
}

impl Clusters {
    fn new(links: &[Link]) -> Self {
        let mut all = vec![Cluster::default()];
        let mut begun = vec![None; links.len()];
        for (index, link) in (0..).zip(links) {
            if matches!(link, Link::Writes { .. }) {
                begun[index as usize] = Some(all.len() as u32);
                all.push(Cluster {
                    writer: Some(index),
                    ..Cluster::default()
                });
            }
        }
        Self {
            all,
            begun,
            next_reads: vec![None; links.len()],
        }
    }

    fn of_writer(&self, writer: u32) -> Option<u32> {
        self.begun[writer as usize]
    }

    /// The cluster that operation `index` begins follows `cluster` directly; `None` if another one does.
    fn follow(&mut self, cluster: u32, index: u32) -> Option<()> {
        let next = self.of_writer(index)?;
        self.all[next as usize].follows = true;
        match self.all[cluster as usize].next.replace(next) {
            None => Some(()),
            Some(_) => None,
        }
    }

    fn read(&mut self, cluster: u32, index: u32) {
        let reads = &mut self.all[cluster as usize].reads;
        match reads {
            None => *reads = Some((index, index)),
            Some((_, last)) => {
                self.next_reads[*last as usize] = Some(index);
                *last = index;
            }
        }
    }

    fn chains(self, operations: usize) -> Option<Chains> {
        let mut chains = Chains {
            members: Vec::with_capacity(operations),
            ends: Vec::with_capacity(self.all.len()),
            of: vec![None; operations],
            first: None,
        };
        let mut visited = 0;
        for (index, cluster) in self.all.iter().enumerate() {
            if !cluster.follows {
                visited += self.chain(index, &mut chains.members);
                chains.end();
            }
            if index == 0 && !chains.ends.is_empty() {
                chains.first = Some(0);
            }
        }
        // Clusters that follow each other in a circle are in no chain.
        (visited == self.all.len()).then_some(chains)
    }

    /// Adds the operations of a chain to `members`; the number of its clusters.
    fn chain(&self, first: usize, members: &mut Vec<u32>) -> usize {
        let mut visited = 0;
        let mut next = Some(first);
        while let Some(index) = next {
            let cluster = &self.all[index];
            visited += 1;
            members.extend(cluster.writer);
            let mut read = cluster.reads.map(|(first, _)| first);
            while let Some(index) = read {
                members.push(index);
                read = self.next_reads[index as usize];
            }
            next = cluster.next.map(|next| next as usize);
        }
        visited
    }
}
