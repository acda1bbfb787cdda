//! `promote`: who, and what that costs.

use super::{election_steps, name, seen, spoken};
use crate::model::{ClusterView, NodeNumber, Outlook, Proposal};
use crate::plan::forecast::{self, Forecast};
use crate::plan::promotion::Asker;
use crate::spec::ClusterSpec;

/// `asked`: by whom, and whom they prefer among equals.
pub fn promote(view: &ClusterView, cluster: &ClusterSpec, asked: (Asker, Option<NodeNumber>), reason: &str) -> Proposal {
    let (asker, preferred) = asked;
    let forecast = forecast::promotion(view, cluster, asker, preferred);
    let mut warnings: Vec<String> = match &forecast {
        Forecast::Promote(_) if cluster.quorum().acks == 0 => {
            vec!["replication is asynchronous: commits that the old primary acknowledged and did not send are lost".into()]
        }
        Forecast::Promote(_)
        | Forecast::Nothing { .. }
        | Forecast::Finish { .. }
        | Forecast::Unclear { .. }
        | Forecast::No { .. } => Vec::new(),
    };
    if let (Asker::Forced, false) = (asker, matches!(forecast, Forecast::Nothing { .. })) {
        warnings.push(
            "--force: one standby is enough, also one that another holds more than, that was away for long, or that is \
             DISALLOW_TO_FAILOVER; commits that it lacks are LOST, acknowledged or not"
                .into(),
        );
        warnings
            .push("a primary that is cut off from here may go on until the network is back: make sure that it is dead".into());
    }
    let (outlook, because, steps) = match forecast {
        Forecast::Nothing { primary, because } => {
            (Outlook::Nothing, format!("nothing to promote, {} is primary: {because}", name(cluster, primary)), Vec::new())
        }
        Forecast::Finish { primary, epoch } => (
            Outlook::NeedsConsent,
            format!("the promotion of {} to epoch {epoch} was not finished", name(cluster, primary)),
            vec![format!("write the row of epoch {epoch} ({reason}) and let {} take writes", name(cluster, primary))],
        ),
        Forecast::Promote(election) => {
            let mut steps = election_steps(cluster, &election);
            steps.push(format!("write epoch {} and the reason into the epoch table: {reason}", election.epoch));
            (Outlook::NeedsConsent, election.because, steps)
        }
        Forecast::Unclear { because } => (Outlook::NeedsConsent, because, vec![ask_again()]),
        Forecast::No { because } => {
            (Outlook::NeedsConsent, format!("no promotion as things are now: {because}"), vec![ask_again()])
        }
    };
    spoken(cluster, Proposal { order: "promote".into(), because, outlook, seen: seen(cluster, view), steps, warnings })
}

fn ask_again() -> String {
    "ask again for up to 20 s, and promote the standby that holds the most as soon as that is safe".into()
}
