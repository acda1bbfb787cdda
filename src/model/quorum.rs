//! How many nodes a decision needs.

use serde::{Deserialize, Serialize};

/// How many nodes a promotion, a commit and a resume need, of `nodes` data nodes.
///
/// Why it is safe, for three nodes and more: any two promotions freeze a common node (2·`promotion` > `nodes`); any promotion
/// freezes a standby that holds each acknowledged commit (`promotion` + `acks` > the number of standbys, when synchronous); and
/// a node that resumes is named by one that no promotion froze (`promotion` + `resume` > `nodes`). With two nodes a promotion
/// rests on one standby, so two of them need the extra rule that a node without upstream does not promote alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quorum {
    /// The number of data nodes.
    pub nodes: usize,
    /// QP: the frozen standbys a promotion needs. With a single node 1, which is never reached: it has no standby.
    pub promotion: usize,
    /// K: the standbys that acknowledge each commit, the K of `ANY K (…)`; 0 = asynchronous.
    pub acks: usize,
    /// QS: the nodes (itself included) that must name a former primary for it to resume.
    pub resume: usize,
}

impl Quorum {
    /// The numbers for `nodes` data nodes, at least 1, with commits that wait for standbys (`sync`) or do not.
    #[must_use]
    pub fn of(nodes: usize, sync: bool) -> Quorum {
        let nodes = nodes.max(1);
        let promotion = if nodes == 2 { 1 } else { nodes / 2 + 1 };
        let spared = nodes - promotion;
        Quorum { nodes, promotion, acks: if sync { spared } else { 0 }, resume: spared + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        //           n  QP K  QS
        let table = [
            (1, 1, 0, 1),
            (2, 1, 1, 2),
            (3, 2, 1, 2),
            (4, 3, 1, 2),
            (5, 3, 2, 3),
            (6, 4, 2, 3),
            (7, 4, 3, 4),
            (8, 5, 3, 4),
            (9, 5, 4, 5),
        ];
        for (nodes, promotion, acks, resume) in table {
            assert_eq!(Quorum::of(nodes, true), Quorum { nodes, promotion, acks, resume });
            assert_eq!(Quorum::of(nodes, false), Quorum { nodes, promotion, acks: 0, resume });
        }
    }

    #[test]
    fn quorums_meet() {
        for nodes in 2..=9 {
            let quorum = Quorum::of(nodes, true);
            assert!(quorum.promotion + quorum.acks > nodes - 1, "a promotion of {nodes} could miss an acknowledged commit");
            assert!(quorum.promotion + quorum.resume > nodes, "a resume of {nodes} could miss a promotion");
            assert!(nodes == 2 || 2 * quorum.promotion > nodes, "two promotions of {nodes} could miss each other");
            assert!(quorum.promotion < nodes, "{nodes} nodes cannot lose their primary");
        }
    }

    #[test]
    fn a_single_node_never_promotes() {
        let quorum = Quorum::of(1, true);
        let standbys = quorum.nodes - 1;
        assert!(quorum.promotion > standbys);
        assert_eq!(Quorum::of(0, true), quorum);
    }
}
