//! Every problem that `status` can name: its stable code, what it means and what is done about it. `explain CODE` shows the same text.

use crate::model::Weight;

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub word: &'static str,
    pub weight: Weight,
    /// Why it matters, and what pgcluster does by itself.
    pub meaning: &'static str,
    /// What a person does.
    pub fix: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $word:literal $weight:ident: $meaning:literal $fix:literal;)+) => {
        $(pub const $constant: Code = Code { word: $word, weight: Weight::$weight, meaning: $meaning, fix: $fix };)+
        /// All of them, in the order of their weight in an operator's night.
        pub const CODES: &[Code] = &[$($constant),+];
    };
}

pub(crate) use codes;

codes! {
NO_PRIMARY = "no-primary" Broken:
    "Nobody takes writes. With FAILOVER_MODE=auto a standby is promoted as soon as enough of them are seen and the old primary is silent."
    "wait FAILOVER_AFTER (10 s); then bring back the nodes that are away: `docker compose start NAME`; `pgcluster plan` on a node says what it waits for";
TWO_PRIMARIES = "two-primaries" Degraded:
    "Two servers are writable. Only the one of the higher epoch reigns: the other gets no acknowledgement from a standby, and is stopped within seconds by whoever sees it."
    "send no writes to the older one; if it is still there after 30 s, restart its container: it is rewound and follows";
REIGN_UNFINISHED = "reign-unfinished" Broken:
    "A promoted server is read-only until the row of its reign is written. Its promoter died in between; its own health check finishes it."
    "wait 10 s; if it stays, look at `docker inspect` of the node for what its health check says";
COMMITS_WAIT = "commits-wait" Broken:
    "Synchronous replication: fewer standbys acknowledge than a commit needs, so commits hang until one is back. Nothing is lost."
    "bring a standby back: `docker compose start NAME`; never set synchronous_standby_names by hand";
OTHER_CLUSTER = "other-cluster" Degraded:
    "A server of another system identifier answers under this name: another cluster's volume, or one that was initialised a second time."
    "give the container its own volume, or an empty one: then it copies the primary";
NODE_UNREACHABLE = "node-unreachable" Degraded:
    "No answer in time: the container is down, paused, cut off, or its name does not resolve."
    "`docker compose ps`, `docker compose start NAME`, `docker compose unpause NAME`";
NODE_REFUSES = "node-refuses" Degraded:
    "A server lives there and does not let role repmgr in: another REPMGRPWD, no free connection, or a server that is not ours."
    "give all containers the same REPMGRPWD; raise PGCONF_max_connections if it says `too many clients`";
NODE_UNTRUSTED = "node-untrusted" Degraded:
    "The node presents a certificate that TLS_CA_FILE does not vouch for: it is neither followed nor promoted, and who follows it is not replaced."
    "give NAME a certificate that the authority signed for its host in PG_BACKEND_NODE_LIST, and restart it; or stop it, then another takes its place; if all nodes are named, look at this container's TLS_CA_FILE";
NODE_WAITING = "node-waiting" Degraded:
    "The node's entrypoint answers instead of a server: it copies, rewinds, or waits for others. It ends by itself."
    "wait; `pgcluster plan` on that node says what for";
NODE_PARKED = "node-parked" Degraded:
    "A former primary that could not know whether it still reigns serves read-only and follows nobody, so that an election can rank it."
    "bring the other nodes back; once there is a primary its health check makes it follow";
NODE_FROZEN = "node-frozen" Degraded:
    "A promotion took this standby's pointer away, so that the old primary gets no acknowledgement from it, and did not give it a new one yet."
    "wait 10 s: the health checks finish or undo the promotion; more nodes may be needed, see the other lines";
NOT_STREAMING = "not-streaming" Degraded:
    "The standby points at the primary and receives nothing: its reads grow old, and it acknowledges no commit."
    "wait 30 s: its health check registers it anew, then restarts it for a rewind or a copy; its log has the reason";
WRONG_UPSTREAM = "wrong-upstream" Degraded:
    "The standby points at a node that is not the primary."
    "wait 10 s: its health check points it at the primary, or restarts it for a rewind";
NEWER_PROMISE = "newer-promise" Degraded:
    "A standby promised a reign above the primary's: a promotion began. It acknowledges nothing to this primary, which steps down after 10 s unless the promotion was its own."
    "wait 20 s; a promotion follows when enough standbys are seen";
NO_ELECTION = "no-election" Notice:
    "If the primary died now, too few standbys could be frozen for a promotion: one more failure stops the writes."
    "bring the missing standbys back before you touch the primary";
LAG = "lag" Degraded:
    "Reads on this standby are old, and a promotion of it would first replay what it received."
    "look for long queries on the standby (`pgcluster lag`), for its disk, for the network; MB of lag that shrink are harmless";
CERTIFICATE_ENDS = "certificate-ends" Degraded:
    "The node's certificate ends within 30 days, or has ended: whoever verifies it is refused then, nodes included where there is a TLS_CA_FILE."
    "replace the files of TLS_CERT_FILE and TLS_KEY_FILE, then restart NAME; a generated certificate is made anew at a start";
REPLAY_PAUSED = "replay-paused" Degraded:
    "The standby receives WAL and does not replay it: `pg_wal_replay_pause()`, or a parameter that is smaller than on the primary."
    "`SELECT pg_wal_replay_resume()` there, or restart its container, which raises the parameters";
POOL_UNREACHABLE = "pool-unreachable" Degraded:
    "The pgpool of this container does not answer on its administration socket: clients cannot come through it."
    "look at its log; its health check ends it and the restart policy starts it again";
POOL_WRONG_PRIMARY = "pool-wrong-primary" Degraded:
    "pgpool sends writes to a node that is not the primary, or to nobody. Its health check tells it within seconds."
    "wait 10 s; then `pgcluster attach NAME` in the pgpool container, or restart it";
POOL_LACKS_NODE = "pool-lacks-node" Degraded:
    "The node is well and pgpool has it down: it gets no reads. The health check of pgpool attaches it."
    "wait 10 s; if it stays, role pgpool_check cannot log in there: see the health check's output";
POOL_SENDS_TO_SICK = "pool-sends-to-sick" Degraded:
    "pgpool has a node up that does not serve, or serves old data: reads may fail or be old. pgpool notices when a session breaks."
    "`pgcluster detach NAME --yes` in the pgpool container takes it out; it comes back by itself when it streams";
POOL_UNUSED = "pool-unused" Notice:
    "pgpool was told not to use this node (its status file says `unused`)."
    "nothing, if you wanted that; a restart of pgpool uses it again";
METADATA_MISSING = "metadata-missing" Degraded:
    "repmgr.nodes has no row for this node: `repmgr cluster show` does not list it."
    "wait 10 s: the primary's health check writes it once the node streams";
METADATA_WRONG = "metadata-wrong" Degraded:
    "repmgr.nodes says something else than the servers: whoever trusts `repmgr cluster show` is misled. pgcluster does not read it."
    "wait 10 s: the primary's health check corrects it";
MANUAL_FAILOVER = "manual-failover" Notice:
    "FAILOVER_MODE leaves promotions to a person (or to repmgrd): if the primary dies, writes stop until somebody acts."
    "`pgcluster promote --because TEXT` when the primary is lost";
FAILOVER_PAUSED = "failover-paused" Notice:
    "Somebody stopped automatic failover for a while: if the primary dies, writes stop until it is resumed."
    "ask who paused it; `pgcluster resume --yes`";
}

/// Among these and the codes of `doctor`.
pub fn find(word: &str) -> Option<&'static Code> {
    CODES.iter().chain(crate::plan::doctor::codes::CODES).find(|code| code.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_typed_easily() {
        let all = || CODES.iter().chain(crate::plan::doctor::codes::CODES);
        let mut words: Vec<&str> = all().map(|code| code.word).collect();
        assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all().count());
    }
}
