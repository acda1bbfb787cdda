//! The health check of one container: does it serve, and what is done so that it serves well. One process, no children.

use std::time::Duration;

use crate::act::heal_pool::heal_pool;
use crate::act::{agreement, heal, main_node, rotation};
use crate::link::Address;
use crate::model::{Reach, RoomState};
use crate::observe::{peer, pool};
use crate::pcp;
use crate::spec::{PgpoolSpec, PostgresSpec};

/// 60 % of Docker's timeout of 10 s.
const DEADLINE: Duration = Duration::from_millis(6000);
/// For a login through pgpool, which takes milliseconds, or as long as a failover.
const LOGIN_DEADLINE: Duration = Duration::from_millis(1500);

/// What became of a login through pgpool, in a few words.
enum Login {
    Answered(String),
    /// pgpool refuses all clients, until it counts its backends anew.
    LockedOut,
    Failed(String),
}

/// Whether the container serves, and what is said about it, line by line.
pub type Health = (bool, Vec<String>);

/// Of a database container.
pub async fn database(spec: &PostgresSpec) -> Health {
    let served = tokio::time::timeout(DEADLINE, database_serves(spec)).await;
    let (healthy, said) = served.unwrap_or_else(|_| (false, late(DEADLINE)));
    (healthy, vec![said])
}

/// Preparing counts as healthy: an orchestrator must not kill a node that copies its data.
async fn database_serves(spec: &PostgresSpec) -> (bool, String) {
    let local = Address::Socket { dir: "/run/postgresql".into(), port: spec.node().port, user: spec.superuser.name.clone() };
    let reach = match local.connect("repmgr").await {
        // A server that answers is healthy, whatever healing came to.
        Ok(client) => {
            return (true, heal::look_and_heal(spec, &client).await.unwrap_or_else(|error| format!("serving, but: {error:#}")));
        }
        // Before the server there is the waiting room, on TCP alone; or a server that is starting.
        Err(_) => peer::ask_local(spec.node().port).await,
    };
    match reach {
        Reach::Waiting(RoomState { state, .. }) => (true, state),
        Reach::NotYet { reason } => (true, reason),
        Reach::Serving(_) => (true, "serving".into()),
        Reach::Refused { reason } | Reach::Silent { reason } | Reach::Untrusted { reason } => (false, reason),
    }
}

/// Whether pgpool lives, and what was done so that it serves well. A login may hang because of a failover, a frozen backend, or because
/// all children are busy: then it is enough that pgpool answers by PCP, for no restart would help.
pub async fn pgpool(spec: &PgpoolSpec) -> Health {
    let (spec, rotated) = rotation::keep_up_pgpool(spec).await;
    let spec = &spec;
    let unfinished = || anyhow::anyhow!("healing was not finished in {} ms", DEADLINE.as_millis());
    let heal = async { tokio::time::timeout(DEADLINE, heal_pool(spec)).await.unwrap_or_else(|_| Err(unfinished())) };
    let serve = async {
        match tokio::time::timeout(LOGIN_DEADLINE, log_in(spec)).await {
            Ok(Login::Answered(said)) => (true, said, None),
            Ok(Login::LockedOut) => (true, "pgpool lets nobody in".into(), main_node::recount(spec).await),
            Ok(Login::Failed(said)) => (false, said, None),
            Err(_) => (false, late(LOGIN_DEADLINE), None),
        }
    };
    let ((serves, said, counted), healed) = tokio::join!(serve, heal);
    if !serves {
        agreement::forget();
    }
    let healthy = serves || healed.is_ok();
    let mut lines = vec![if healthy && !serves { format!("alive, but a login: {said}") } else { said }];
    lines.extend(rotated);
    lines.extend(counted);
    match healed {
        Ok(orders) => lines.extend(orders),
        // The entrypoint is at work, and has just said so.
        Err(_) if serves && !pcp::is_there() => {}
        Err(error) => lines.push(format!("{error:#}")),
    }
    (healthy, lines)
}

/// pgpool lives if it answers as PostgreSQL does; which backends it has is not a reason to restart it.
async fn log_in(spec: &PgpoolSpec) -> Login {
    match pool::log_in(spec).await {
        Ok(()) => Login::Answered("serving".into()),
        Err(error) => match error.as_db_error() {
            Some(_) if pool::is_locked_out(&error) => Login::LockedOut,
            Some(db) => Login::Answered(db.message().to_string()),
            None => match peer::ask_local(spec.port).await {
                Reach::Waiting(RoomState { state, .. }) => Login::Answered(state),
                _ => Login::Failed(format!("{:#}", anyhow::Error::new(error))),
            },
        },
    }
}

fn late(deadline: Duration) -> String {
    format!("no answer in {} ms", deadline.as_millis())
}
