//! A server ends on an operator's order, and its container brings it back; here it is ended, and watched until it streams.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::act::fence::order_stop;
use crate::model::{NodeNumber, Reach, Role};
use crate::observe::peer::{Sessions, ask};
use crate::spec::ClusterSpec;

/// A fast shutdown writes a checkpoint, and a primary's waits for its standbys.
const STOP_DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// Returns when the server of this session has ended: it takes the session with it.
pub async fn stop(cluster: &ClusterSpec, sessions: &Sessions, number: NodeNumber) -> anyhow::Result<()> {
    let name = cluster.nodes[number.index()].name.as_str();
    let session = sessions.iter().find(|(n, _)| *n == number).map(|(_, client)| client);
    let client = session.with_context(|| format!("{name} does not serve any more"))?;
    order_stop(client).await.with_context(|| format!("stop {name}"))?;
    let began = Instant::now();
    while !client.is_closed() {
        ensure!(began.elapsed() < STOP_DEADLINE, "{name}'s server did not end in {} s", STOP_DEADLINE.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Tells each new state once; true when the node streams, false if it does not in time.
pub async fn watch(cluster: &ClusterSpec, number: NodeNumber, deadline: Duration, tell: impl Fn(Duration, &str)) -> bool {
    let (began, mut said) = (Instant::now(), String::new());
    while began.elapsed() < deadline {
        let word = word(&ask(cluster, &cluster.nodes[number.index()]).await);
        if word != said {
            tell(began.elapsed(), &word);
            said.clone_from(&word);
        }
        if said == STREAMING {
            return true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    false
}

const STREAMING: &str = "streaming";

fn word(reach: &Reach) -> String {
    match reach {
        Reach::Serving(state) if state.role == Role::Standby && state.receiver_silent_ms.is_some() => STREAMING.into(),
        Reach::Serving(_) => "serving, not streaming".into(),
        Reach::Waiting(room) => room.state.clone(),
        Reach::NotYet { reason } | Reach::Refused { reason } | Reach::Untrusted { reason } => reason.clone(),
        Reach::Silent { .. } => "restarting".into(),
    }
}
