//! The only way to become primary besides initdb and resume: freeze enough standbys, pick the one that holds the most, promote it.
//!
//! The decisions are `plan::promotion`'s; here are the questions, the locks and the orders. Safe to run many times at once: locks and
//! promises let one promoter through. Killed anywhere it leaves frozen standbys, which the health checks bring back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::act::fault_point::fault_point;
use crate::act::standby::{self, Standby};
use crate::model::{ClusterView, Epoch, NodeNumber, NodeState, Quorum, Role};
use crate::observe::peer::{Sessions, look_impatiently};
use crate::plan::promotion::{self, Asker, Frozen, Need};
use crate::spec::ClusterSpec;

/// For an election that pgpool's clients wait for.
pub const FAILOVER_DEADLINE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);
/// For nodes that do not answer once enough have. A primary that is merely slow still has their receivers speak for it.
const SILENT_PATIENCE: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub cluster: &'a ClusterSpec,
    pub asker: Asker,
    /// Among equals.
    pub preferred: Option<NodeNumber>,
    /// For the epoch table: who wanted it and why.
    pub reason: &'a str,
    /// For everything together.
    pub deadline: Duration,
}

impl<'a> Wish<'a> {
    /// Nobody's in particular: of pgpool, a start or a health check.
    pub fn of_machine(cluster: &'a ClusterSpec, reason: &'a str, deadline: Duration) -> Wish<'a> {
        Wish { cluster, asker: Asker::Machine, preferred: None, reason, deadline }
    }

    fn quorum(&self) -> Quorum {
        promotion::needed(self.cluster.quorum(), self.asker)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Promoted {
        primary: NodeNumber,
    },
    /// Somebody is primary already.
    None {
        primary: NodeNumber,
        because: String,
    },
    /// The old primary lives; the caller may want to attach it again.
    Lives {
        because: String,
    },
    Impossible {
        because: String,
    },
}

impl Outcome {
    /// Who is primary by it.
    pub fn primary(&self) -> Option<NodeNumber> {
        match self {
            Outcome::Promoted { primary } | Outcome::None { primary, .. } => Some(*primary),
            Outcome::Lives { .. } | Outcome::Impossible { .. } => None,
        }
    }
}

/// Asks, decides and promotes until there is a primary, a sign of life, or the deadline is over.
pub async fn promote(wish: Wish<'_>) -> Outcome {
    let seen = look(wish.cluster, wish.asker, Sessions::new()).await;
    promote_after(wish, seen).await
}

/// As patient as a promoter is. `sessions` of an earlier look are used again.
pub async fn look(cluster: &ClusterSpec, asker: Asker, sessions: Sessions) -> (ClusterView, Sessions) {
    look_for(SILENT_PATIENCE, cluster, asker, sessions).await
}

/// The same with other patience for nodes that do not answer once enough have.
pub async fn look_for(patience: Duration, cluster: &ClusterSpec, asker: Asker, sessions: Sessions) -> (ClusterView, Sessions) {
    let quorum = promotion::needed(cluster.quorum(), asker);
    look_impatiently(cluster, sessions, |view| promotion::knows_enough(view, quorum, asker), patience).await
}

/// `promote`, for whoever looked just now.
pub async fn promote_after(wish: Wish<'_>, seen: (ClusterView, Sessions)) -> Outcome {
    let began = Instant::now();
    let (mut view, mut sessions, mut asking) = (seen.0, seen.1, Duration::ZERO);
    let mut last = String::new();
    loop {
        match promotion::need(&view, asking.as_millis() as u64) {
            Need::None { primary, because } => return Outcome::None { primary, because },
            Need::Finish { primary, epoch } => match finish(&wish, primary, epoch).await {
                Ok(()) => return Outcome::Promoted { primary },
                Err(error) => last = format!("finish the promotion of node {primary}: {error:#}"),
            },
            Need::Lives { because } => return Outcome::Lives { because },
            Need::Unclear { because } => last = because,
            Need::Promote { .. } if wish.asker == Asker::Machine && view.paused().is_some() => {
                let because = format!("automatic failover is paused by {}", view.paused().unwrap_or_default());
                return Outcome::Impossible { because };
            }
            Need::Promote { because } => match attempt(&wish, &view, std::mem::take(&mut sessions)).await {
                Ok(primary) => return Outcome::Promoted { primary },
                Err(error) => {
                    let now = format!("{because}, but: {error:#}");
                    if now != last {
                        tracing::info!("{now}");
                    }
                    last = now;
                    // Two promoters that met must not meet again.
                    tokio::time::sleep(PAUSE * rand::random_range(1..5)).await;
                }
            },
        }
        tokio::time::sleep(PAUSE).await;
        asking = began.elapsed();
        if asking >= wish.deadline {
            return Outcome::Impossible { because: format!("{last} (gave up after {} s)", wish.deadline.as_secs()) };
        }
        (view, sessions) = look(wish.cluster, wish.asker, sessions).await;
    }
}

/// The end of a switchover: the sessions hold the locks of the standbys already, and `view` says that the old primary was stopped.
pub async fn promote_locked(wish: &Wish<'_>, view: &ClusterView, sessions: Sessions) -> anyhow::Result<NodeNumber> {
    let locked = lock(wish, view, sessions).await?;
    elect(wish, view, locked).await
}

async fn finish(wish: &Wish<'_>, primary: NodeNumber, epoch: Epoch) -> anyhow::Result<()> {
    Standby::connect(wish.cluster, primary).await?.finish(epoch, wish.reason).await
}

/// Standbys under their locks, which go with their sessions, and what each was when it was locked.
type Locked<'a> = (Vec<Standby<'a>>, Vec<NodeState>);

/// One try.
async fn attempt(wish: &Wish<'_>, view: &ClusterView, sessions: Sessions) -> anyhow::Result<NodeNumber> {
    fault_point("promote-needed");
    let (standbys, states) = lock(wish, view, sessions).await?;
    promotion::still_needed(view, standbys.iter().map(Standby::number).zip(&states)).map_err(anyhow::Error::msg)?;
    elect(wish, view, (standbys, states)).await
}

/// Enough standbys of those in `view`.
async fn lock<'a>(wish: &Wish<'a>, view: &ClusterView, sessions: Sessions) -> anyhow::Result<Locked<'a>> {
    let quorum = wish.quorum();
    let electorate = promotion::electorate(view, quorum, wish.asker).map_err(anyhow::Error::msg)?;
    let (standbys, states) = standby::lock_all(wish.cluster, sessions, &electorate, quorum.promotion).await;
    promotion::enough(standbys.len(), quorum).map_err(anyhow::Error::msg)?;
    anyhow::ensure!(states.iter().all(|state| state.role == Role::Standby), "somebody was promoted meanwhile");
    Ok((standbys, states))
}

/// Freezes them, and promotes the one that holds the most.
async fn elect(wish: &Wish<'_>, view: &ClusterView, locked: Locked<'_>) -> anyhow::Result<NodeNumber> {
    let quorum = wish.quorum();
    let (mut standbys, states) = locked;
    let locked = || standbys.iter().map(Standby::number).zip(&states);
    promotion::electorate(&view.with_only(locked()), quorum, wish.asker).map_err(anyhow::Error::msg)?;
    promotion::may_know_all(states.iter(), wish.asker, quorum).map_err(anyhow::Error::msg)?;
    let epoch = promotion::next_epoch(states.iter());
    fault_point("promote-locked");
    let frozen: Vec<Frozen> = join_all(standbys.iter().zip(&states).map(|(standby, before)| standby.freeze(epoch, before)))
        .await
        .into_iter()
        .filter_map(|result| result.inspect_err(|error| tracing::warn!("not frozen: {error:#}")).ok())
        .collect();
    fault_point("promote-frozen");
    let is_frozen = |number: NodeNumber| frozen.iter().any(|node| node.number == number);
    let as_before = locked().filter(|(number, _)| is_frozen(*number));
    promotion::electorate(&view.with_only(as_before), quorum, wish.asker).map_err(anyhow::Error::msg)?;
    let chosen = promotion::candidate(&frozen, wish.asker, wish.preferred, quorum).map_err(anyhow::Error::msg)?;
    let told = promotion::followers(&frozen, chosen);
    standbys.retain(|standby| standby.number() == chosen || told.contains(&standby.number()));
    let (candidate, followers): (Vec<Standby<'_>>, Vec<Standby<'_>>) = standbys.into_iter().partition(|s| s.number() == chosen);
    let candidate = candidate.into_iter().next().expect("the candidate is one of the frozen");
    candidate.prepare_for_followers(epoch, &told).await?;
    fault_point("promote-prepared");
    let (promoted, _) = tokio::join!(candidate.promote(epoch, wish.reason), follow_all(&followers, chosen, epoch));
    promoted?;
    fault_point("promote-done");
    candidate.checkpoint_behind_our_back().await;
    Ok(chosen)
}

/// A follower that cannot be told now is brought back by its own health check.
async fn follow_all(followers: &[Standby<'_>], primary: NodeNumber, reign: Epoch) {
    for result in join_all(followers.iter().map(|follower| follower.follow(primary, reign))).await {
        if let Err(error) = result {
            tracing::warn!("a follower was not told: {error:#}");
        }
    }
}
