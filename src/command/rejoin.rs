//! `pgcluster rejoin NAME`: restarts a node's server, so that its start decides anew, and says what it does.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::act::fence::order_stop;
use crate::act::operation::Operation;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::{ClusterView, NodeNumber, Reach, Role};
use crate::observe::peer::{control_address, look};
use crate::spec::ClusterSpec;

/// A copy may take longer; it goes on without us.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);

pub fn run(name: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let number = operator::node(&cluster, name)?;
    block_on(async {
        let view = look(&cluster, cluster.nodes.iter()).await;
        let Some((primary, _)) = view.primary() else {
            bail!("nobody is primary, so there is nobody to follow: pgcluster promote --because TEXT makes one");
        };
        if primary == number {
            bail!("{name} is the primary: pgcluster switchover hands over first");
        }
        let on = operator::name(&cluster, primary);
        println!(
            "rejoin: stop {name}'s server; its container starts again and follows {on}: in place, by a rewind, or by a copy"
        );
        if !consent.is_given() {
            println!("{}", consent.words());
            return Ok(consent.exit());
        }
        let _operation = Operation::begin(&cluster, primary, "rejoin").await?;
        match view.reach(number) {
            Some(Reach::Serving(_)) => {
                let server = control_address(&cluster, &cluster.nodes[number.index()]).connect_in_time("repmgr").await?;
                order_stop(&server).await.with_context(|| format!("stop {name}"))?;
            }
            Some(Reach::Waiting(_) | Reach::NotYet { .. }) => println!("{name} is starting already"),
            Some(Reach::Silent { reason } | Reach::Refused { reason } | Reach::Untrusted { reason }) => {
                bail!("{name} cannot be restarted from here: {reason}")
            }
            None => bail!("{name} was not asked"),
        }
        Ok(follow_progress(&cluster, number, primary).await)
    })
}

/// Prints each state of the node once, until it streams.
async fn follow_progress(cluster: &ClusterSpec, number: NodeNumber, primary: NodeNumber) -> Exit {
    let (began, mut said) = (Instant::now(), String::new());
    let mut has_been_away = false;
    while began.elapsed() < PATIENCE {
        let view = look(cluster, std::slice::from_ref(&cluster.nodes[number.index()]).iter()).await;
        let word = state(&view, number);
        has_been_away |= word != "streaming";
        if word != said && has_been_away {
            println!("{:>6.1} s  {}: {word}", began.elapsed().as_secs_f64(), operator::name(cluster, number));
            said.clone_from(&word);
        }
        if has_been_away && word == "streaming" {
            println!("{} follows {}", operator::name(cluster, number), operator::name(cluster, primary));
            return Exit::Ok;
        }
        tokio::time::sleep(PAUSE).await;
    }
    println!("not there after {} s: it goes on by itself, pgcluster status shows how far it is", PATIENCE.as_secs());
    Exit::Failed
}

fn state(view: &ClusterView, number: NodeNumber) -> String {
    match view.reach(number) {
        Some(Reach::Serving(state)) if state.role == Role::Standby && state.receiver_silent_ms.is_some() => "streaming".into(),
        Some(Reach::Serving(_)) => "serving, not streaming".into(),
        Some(Reach::Waiting(room)) => room.state.clone(),
        Some(Reach::NotYet { reason } | Reach::Refused { reason } | Reach::Untrusted { reason }) => reason.clone(),
        Some(Reach::Silent { .. }) | None => "restarting".into(),
    }
}
