//! Ends a copy whose source's reign is over: its server may be frozen, and then the copying program would wait for it for ever.

use std::time::Duration;

use crate::act::workplace::Workplace;
use crate::model::{Epoch, NodeNumber};
use crate::observe::peer::look_at_others;

const PAUSE: Duration = Duration::from_secs(2);

/// The start decides anew.
#[derive(Debug, thiserror::Error)]
#[error("node {primary} is primary of epoch {epoch} now: what was copied is of an earlier reign")]
pub struct Superseded {
    primary: NodeNumber,
    epoch: Epoch,
}

/// `copy`, from the primary of `reign`, unless a primary of a later reign is seen meanwhile.
pub async fn unless_superseded<T>(
    work: &Workplace<'_>,
    reign: Epoch,
    copy: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        result = copy => result,
        superseded = wait_for_a_later_reign(work, reign) => Err(superseded.into()),
    }
}

async fn wait_for_a_later_reign(work: &Workplace<'_>, reign: Epoch) -> Superseded {
    loop {
        tokio::time::sleep(PAUSE).await;
        let others = look_at_others(&work.spec.cluster, work.spec.me).await;
        match others.primary() {
            Some((primary, state)) if state.epoch() > reign => return Superseded { primary, epoch: state.epoch() },
            Some(_) | None => {}
        }
    }
}
