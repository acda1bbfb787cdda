//! A change of reign by plain SQL, as an operator or our own promotion would make it: for tests of what comes after it.

use crate::build::Cluster;
use crate::docker::wait_until;
use crate::health::DEADLINE;

impl Cluster {
    /// Makes the standby `node` the primary of `epoch`: promises on every running standby, pg_promote, the epoch's row.
    #[track_caller]
    pub fn promote(&self, node: &str, epoch: u32) {
        wait_until(&format!("{node} serves as a standby"), DEADLINE, || {
            self.try_sql(node, "SELECT pg_is_in_recovery()").is_ok_and(|text| text == "t").then_some(())
        });
        for standby in self.nodes.iter().filter(|node| self.is_running(node)) {
            if self.try_sql(standby, &format!("ALTER SYSTEM SET pgcluster.promised_epoch = '{epoch}'")).is_ok() {
                self.sql(standby, "SELECT pg_reload_conf()");
            }
        }
        assert_eq!(self.sql(node, "SELECT pg_promote(true, 30)"), "t");
        let row = format!(
            "SET synchronous_commit = local; INSERT INTO pgcluster.epoch (epoch, node, reason) VALUES ({epoch}, '{node}', 'test')"
        );
        self.sql_in(node, "repmgr", &row);
    }

    /// Kills the primary `old` with a row that only it has, and makes `new` the primary of `epoch` with another row. Two nodes.
    #[track_caller]
    pub fn diverge(&self, old: &str, new: &str, epoch: u32) {
        self.sql(old, "CREATE TABLE IF NOT EXISTS witness (word text)");
        self.stop(new);
        self.sql(old, &format!("INSERT INTO witness VALUES ('lost in {epoch}')"));
        self.kill(old);
        self.start(new);
        self.promote(new, epoch);
        self.sql(new, &format!("CREATE TABLE IF NOT EXISTS witness (word text); INSERT INTO witness VALUES ('kept in {epoch}')"));
    }

    /// `node` has the history of `epoch`'s primary, and nothing of its own.
    #[track_caller]
    pub fn assert_rejoined(&self, node: &str, epoch: u32) {
        let words = self.sql(node, &format!("SELECT word FROM witness WHERE word LIKE '% in {epoch}'"));
        assert_eq!(words, format!("kept in {epoch}"), "{node}");
    }

    /// What is in a node's volume: names, sizes, times, and the control file's content. Not the lock, which every start signs.
    #[track_caller]
    pub fn fingerprint(&self, node: &str) -> String {
        let list = "find . -mindepth 1 ! -name .pgcluster.lock -printf '%p %s %T@ %m %U\\n' | sort";
        self.in_volume(node, &format!("sha256sum data/global/pg_control; {list}"))
    }

    /// Whether a data directory is in the node's volume.
    #[track_caller]
    pub fn has_data(&self, node: &str) -> bool {
        self.in_volume(node, "ls -A").lines().any(|name| name == "data")
    }
}
