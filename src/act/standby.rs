//! Orders to a running standby over one session of role `repmgr`: lock, freeze, follow, promote.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::future::{join, try_join, try_join_all, try_join3};
use tokio_postgres::Row;

use crate::act::fault_point::fault_point;
use crate::model::{Epoch, NodeNumber, NodeState, Rank, Role};
use crate::observe::control_file;
use crate::observe::peer::{Session, Sessions, control_address};
use crate::plan::promotion::{Fitness, Frozen};
use crate::plan::provision;
use crate::render::quote::sql_literal;
use crate::render::repmgr::primary_conninfo;
use crate::spec::{BackendFlag, ClusterSpec};

/// "pgcluster" as a number; whoever holds it on enough standbys is the one promoter.
const LOCK_KEY: i64 = 0x7067_636c_7573_7472;
/// The setting that holds a node's promise.
pub const PROMISE: &str = "pgcluster.promised_epoch";
const RELOAD: &str = "SELECT pg_reload_conf()";
const ORDER_DEADLINE: Duration = Duration::from_secs(5);
const PROMOTE_DEADLINE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(2);

pub struct Standby<'a> {
    cluster: &'a ClusterSpec,
    number: NodeNumber,
    session: Session,
}

/// The locks of `numbers` in node order, over the sessions on which they were asked, without waiting, and what each is under its lock;
/// who is locked by others is left out. Stops when `needed` cannot be reached any more: of two promoters that begin at once, the first
/// shall get them all.
pub async fn lock_all<'a>(
    cluster: &'a ClusterSpec,
    sessions: Sessions,
    numbers: &[NodeNumber],
    needed: usize,
) -> (Vec<Standby<'a>>, Vec<NodeState>) {
    let mut members: Vec<_> = sessions.into_iter().filter(|(number, _)| numbers.contains(number)).collect();
    members.sort_by_key(|(number, _)| *number);
    let (mut locked, mut states, mut left) = (Vec::new(), Vec::new(), members.len());
    for (number, session) in members {
        if locked.len() + left < needed {
            break;
        }
        left -= 1;
        let standby = Standby { cluster, number, session };
        match standby.lock_and_read().await {
            Ok(state) => {
                locked.push(standby);
                states.push(state);
            }
            Err(error) => tracing::info!("not locked: {error:#}"),
        }
    }
    (locked, states)
}

impl<'a> Standby<'a> {
    pub async fn connect(cluster: &'a ClusterSpec, number: NodeNumber) -> anyhow::Result<Standby<'a>> {
        let client = control_address(cluster, &cluster.nodes[number.index()]).connect_in_time("repmgr").await?;
        Ok(Standby { cluster, number, session: Session::new(client) })
    }

    pub fn number(&self) -> NodeNumber {
        self.number
    }

    pub async fn read(&self) -> anyhow::Result<NodeState> {
        in_time(self.session.read()).await.with_context(|| self.failed("read the state"))
    }

    /// The session, with its lock.
    pub fn into_session(self) -> (NodeNumber, Session) {
        (self.number, self.session)
    }

    pub async fn is_streaming(&self) -> anyhow::Result<bool> {
        let question = "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)";
        Ok(self.ask(question).await.with_context(|| self.failed("ask for its WAL receiver"))?.get(0))
    }

    /// For as long as this session lasts.
    async fn lock(&self) -> anyhow::Result<()> {
        let row = self.ask(&format!("SELECT pg_try_advisory_lock({LOCK_KEY})")).await?;
        ensure!(row.get::<_, bool>(0), "{}: another promotion holds the lock", self.name());
        Ok(())
    }

    /// In one round trip; what was true before the lock may not be any more.
    pub async fn lock_and_read(&self) -> anyhow::Result<NodeState> {
        try_join(self.lock(), self.read()).await.map(|((), state)| state)
    }

    /// First the promise, then no upstream; done when the WAL receiver is gone and everything received is replayed.
    /// From here on the old primary gets no acknowledgement from this node.
    pub async fn freeze(&self, epoch: Epoch, before: &NodeState) -> anyhow::Result<Frozen> {
        self.order(&[(PROMISE, &epoch.to_string()), ("primary_conninfo", "")]).await?;
        fault_point("promote-freezing");
        let (paused, state) = self.wait_for_replay(epoch).await.with_context(|| self.failed("freeze"))?;
        ensure!(state.promised_epoch == epoch, "{}: promised epoch {} instead of {epoch}", self.name(), state.promised_epoch);
        let flag = self.cluster.nodes[self.number.index()].flag;
        Ok(Frozen {
            number: self.number,
            rank: Rank {
                data_epoch: state.epoch(),
                timeline: state.timeline.max(before.timeline),
                lsn: state.lsn.max(before.lsn),
            },
            fitness: match (paused, flag) {
                (true, _) => Fitness::Paused,
                (false, BackendFlag::DisallowToFailover) => Fitness::Disallowed,
                (false, BackendFlag::AllowToFailover) => Fitness::Fit,
            },
            recent: before.heard_recently,
            state,
        })
    }

    /// True if replay stands still for good: a parameter is smaller than on the primary. A pause by hand is ended. And the state after that.
    async fn wait_for_replay(&self, epoch: Epoch) -> anyhow::Result<(bool, NodeState)> {
        // A reload reaches the sessions a moment after the call. Without a received position (nothing streamed since the server's
        // start) WAL on disk may still be replayed: only a startup process that waits for more has come to the end.
        let question = format!(
            "SELECT (SELECT count(*) FROM pg_stat_wal_receiver) = 0 AND current_setting('pgcluster.promised_epoch') = '{epoch}' \
             AND current_setting('primary_conninfo') = '' AS frozen, pg_is_wal_replay_paused() AS paused, \
             coalesce(pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn(), false) OR EXISTS (SELECT FROM pg_stat_activity \
             WHERE backend_type = 'startup' AND wait_event IN ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval')) AS replayed"
        );
        let began = Instant::now();
        while began.elapsed() < ORDER_DEADLINE {
            // Before the first answer too: no reload is that fast.
            tokio::time::sleep(POLL).await;
            let (row, state) = try_join(self.ask(&question), self.read()).await?;
            match (row.get("frozen"), row.get("replayed"), row.get("paused")) {
                (true, true, _) => return Ok((false, state)),
                (true, false, true) if began.elapsed() > ORDER_DEADLINE / 5 => return Ok((true, state)),
                (true, false, true) if self.has_enough_parameters(&state).await? => {
                    self.send("SELECT pg_wal_replay_resume()").await?
                }
                // To go on would end the server.
                (true, false, true) => {}
                (false, _, _) | (true, false, false) => {}
            }
        }
        bail!("the WAL receiver did not end, or replay did not come to its end, in {} s", ORDER_DEADLINE.as_secs())
    }

    /// Whether replay can go on with this server's parameters; the control file has those of the WAL before replay pauses for them
    /// (`xlog_redo` in xlog.c). Not if the file cannot be read just now.
    async fn has_enough_parameters(&self, here: &NodeState) -> anyhow::Result<bool> {
        let question = "SELECT pg_read_binary_file('global/pg_control')";
        let file: Vec<u8> = self.ask(question).await?.get(0);
        Ok(control_file::parameters_of(&file).is_some_and(|wal| here.parameters.shortage(wal).is_none()))
    }

    /// Points at the primary of `reign`; the promise was made before.
    pub async fn follow(&self, primary: NodeNumber, reign: Epoch) -> anyhow::Result<()> {
        let nodes = &self.cluster.nodes;
        let conninfo = primary_conninfo(self.cluster, &nodes[self.number.index()], &nodes[primary.index()])?;
        self.order(&[
            ("pgcluster.reign", &reign.to_string()),
            ("primary_slot_name", &self.number.id().slot_name()),
            ("primary_conninfo", &conninfo),
        ])
        .await
    }

    /// Slots, so that nobody misses WAL from the first moment on, and nobody may write before the epoch is in.
    ///
    /// Only `followers` may stream at once. A node that still points here from an earlier time, with data of its own, would have its
    /// position taken for an acknowledgement: without its slot it is refused until it has compared itself and registered.
    pub async fn prepare_for_followers(&self, epoch: Epoch, followers: &[NodeNumber]) -> anyhow::Result<()> {
        let (told, rest): (Vec<NodeNumber>, Vec<NodeNumber>) = self.others().partition(|number| followers.contains(number));
        let list = |names: Vec<String>| names.iter().map(|name| format!("('{name}')")).collect::<Vec<_>>().join(", ");
        let refused = list(rest.iter().map(|number| number.id().slot_name()).collect());
        let given = told.iter().map(|number| number.id().slot_name());
        let wanted = list(given.chain(rest.iter().map(|number| number.id().keeper_name())).collect());
        let reign = epoch.to_string();
        let settings = [("pgcluster.reign", reign.as_str()), ("default_transaction_read_only", "on")];
        // None of them needs another.
        try_join3(self.drop_slots(&refused), self.create_slots(&wanted), self.order(&settings)).await.map(drop)
    }

    /// `names`: the inside of `VALUES …`; those that are there stay.
    async fn create_slots(&self, names: &str) -> anyhow::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let statement = format!(
            "SELECT pg_create_physical_replication_slot(name, true) FROM (VALUES {names}) AS wanted(name) \
             WHERE name NOT IN (SELECT slot_name FROM pg_replication_slots)"
        );
        self.send(&statement).await
    }

    /// `names`: the inside of `IN (…)`. Also a slot in use: who streams from this standby must not stream from the primary that it becomes.
    async fn drop_slots(&self, names: &str) -> anyhow::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let of_slots = format!("FROM pg_replication_slots WHERE (slot_name) IN ({names})");
        let began = Instant::now();
        loop {
            let drop = format!("SELECT pg_drop_replication_slot(slot_name) {of_slots} AND NOT active");
            let count = format!("SELECT count(*) {of_slots}");
            // One may have come into use since: then again.
            let (_, left) = join(self.send(&drop), self.ask(&count)).await;
            if left?.get::<_, i64>(0) == 0 {
                return Ok(());
            }
            ensure!(
                began.elapsed() < ORDER_DEADLINE,
                "{}: the slots of those who were not compared are still there after {} s",
                self.name(),
                ORDER_DEADLINE.as_secs()
            );
            self.send(&format!("SELECT pg_terminate_backend(active_pid) {of_slots} AND active")).await?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Returns when this node is a writable primary whose reign is on record.
    pub async fn promote(&self, epoch: Epoch, reason: &str) -> anyhow::Result<()> {
        self.send("SELECT pg_promote(false)").await?;
        fault_point("promote-ordered");
        let began = Instant::now();
        let question = format!("SELECT pg_is_in_recovery() AS standby, current_setting('{PROMISE}') AS promised");
        loop {
            let row = self.ask(&question).await?;
            let promised: &str = row.get("promised");
            ensure!(promised == epoch.to_string(), "{}: promised epoch {promised} now, not {epoch}", self.name());
            if !row.get::<_, bool>("standby") {
                break;
            }
            ensure!(
                began.elapsed() < PROMOTE_DEADLINE,
                "{}: still in recovery {} s after pg_promote",
                self.name(),
                PROMOTE_DEADLINE.as_secs()
            );
            tokio::time::sleep(POLL).await;
        }
        fault_point("promote-promoted");
        self.begin_reign(epoch, reason).await
    }

    /// What is left to do on a primary whose promoter died.
    pub async fn finish(&self, epoch: Epoch, reason: &str) -> anyhow::Result<()> {
        let state = self.read().await?;
        let reign = state.own_reign();
        ensure!(state.role == Role::Primary && reign == epoch, "{}: in reign {reign} now, not in {epoch}", self.name());
        self.begin_reign(epoch, reason).await
    }

    /// The epoch row, repmgr's metadata, and then the node is open.
    async fn begin_reign(&self, epoch: Epoch, reason: &str) -> anyhow::Result<()> {
        let name = sql_literal(self.name())?;
        let others: Vec<String> = self.others().map(|number| number.id().to_string()).collect();
        let record = [
            format!(
                "INSERT INTO pgcluster.epoch (epoch, node, reason) VALUES ({epoch}, {name}, {}) ON CONFLICT DO NOTHING",
                sql_literal(reason)?
            ),
            format!(
                "UPDATE repmgr.nodes SET active = false WHERE type = 'primary' AND node_id IN ({})",
                if others.is_empty() { "0".into() } else { others.join(", ") }
            ),
            provision::upsert_primary(self.cluster, self.number)?,
            format!("UPDATE repmgr.nodes SET upstream_node_id = {} WHERE type = 'standby'", self.number.id()),
            format!(
                "INSERT INTO repmgr.events (node_id, event, successful, details) VALUES ({}, 'standby_promote', true, {})",
                self.number.id(),
                sql_literal(&format!("epoch {epoch}: {reason}"))?
            ),
        ];
        // A statement of its own: a transaction is read-only or not from its beginning.
        self.send_all(&["SET default_transaction_read_only = off".into(), record.join(";\n")]).await?;
        fault_point("promote-recorded");
        self.send_all(&["ALTER SYSTEM RESET default_transaction_read_only".into(), RELOAD.into()]).await
    }

    /// A fresh primary needs a checkpoint before anybody can be rewound onto it (PostgreSQL ≤ 15), and nobody waits for it: the server
    /// goes on when we are gone.
    pub async fn checkpoint_behind_our_back(&self) {
        let _ = tokio::time::timeout(Duration::from_millis(1), self.session.batch_execute("CHECKPOINT")).await;
    }

    /// `ALTER SYSTEM` for each, then a reload. No transaction: PostgreSQL refuses `ALTER SYSTEM` inside one.
    pub async fn order(&self, settings: &[(&str, &str)]) -> anyhow::Result<()> {
        let each = settings.iter().map(|(name, value)| Ok(format!("ALTER SYSTEM SET {name} = {}", sql_literal(value)?)));
        let statements: Vec<String> = each.chain([Ok(RELOAD.into())]).collect::<anyhow::Result<_>>()?;
        self.send_all(&statements).await
    }

    /// Sent together, since on a busy machine every answer is waited for; run in this order, and each on its own: one that is refused
    /// stops none behind it.
    async fn send_all(&self, statements: &[String]) -> anyhow::Result<()> {
        try_join_all(statements.iter().map(|statement| self.send(statement))).await.map(drop)
    }

    /// In one round trip.
    async fn ask(&self, question: &str) -> anyhow::Result<Row> {
        in_time(async { Ok(self.session.query_typed_one(question, &[]).await?) }).await
    }

    async fn send(&self, statement: &str) -> anyhow::Result<()> {
        in_time(async { Ok(self.session.batch_execute(statement).await?) }).await.with_context(|| self.failed(statement))
    }

    fn others(&self) -> impl Iterator<Item = NodeNumber> {
        self.cluster.nodes.iter().map(|node| node.number).filter(|number| *number != self.number)
    }

    fn name(&self) -> &str {
        self.cluster.nodes[self.number.index()].name.as_str()
    }

    fn failed(&self, what: &str) -> String {
        format!("{}: {}", self.name(), what.lines().next().unwrap_or_default())
    }
}

/// A frozen server takes connections and never answers.
async fn in_time<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(ORDER_DEADLINE, work).await.with_context(|| format!("no answer in {} s", ORDER_DEADLINE.as_secs()))?
}
