//! The text of `pgcluster status`.

use super::{Cell, Paint, Table, Tone, WIDTH, bytes, seconds, wrapped};
use crate::model::{ClusterReport, NodeReport, PoolReport, Problem, StateWord, Summary, Weight};

/// Heading, one line per node, then every problem with its fix.
pub fn status(report: &ClusterReport, paint: Paint) -> String {
    let mut text = heading(report, paint);
    text.push('\n');
    text.push_str(&nodes(report, paint));
    if !report.problems.is_empty() {
        text.push('\n');
        for (place, problem) in report.problems.iter().enumerate() {
            text.push_str(&problem_line(problem, paint));
            let next = report.problems.get(place + 1);
            if next.is_none_or(|next| (next.code, &next.fix) != (problem.code, &problem.fix)) {
                text.push_str(&wrapped(&problem.fix, 4, WIDTH));
            }
        }
    }
    text
}

fn heading(report: &ClusterReport, paint: Paint) -> String {
    let summary = &report.cluster;
    let (word, tone) = match report.weight() {
        None | Some(Weight::Notice) => ("healthy", Tone::Good),
        Some(Weight::Degraded) => ("degraded", Tone::Odd),
        Some(Weight::Broken) => ("broken", Tone::Bad),
    };
    let primary = summary.primary.as_ref().map_or_else(|| "none".into(), ToString::to_string);
    let epoch = summary.epoch.map_or_else(String::new, |epoch| format!(", epoch {epoch}"));
    let writes = if summary.writable { "writable" } else { "not writable" };
    let line = format!(
        "{word}: {writes}; primary {primary}{epoch}; {} of {} nodes seen; {}",
        summary.quorum.seen,
        summary.quorum.nodes,
        replication(summary)
    );
    let mut text = wrapped(&line, 0, WIDTH).replacen(word, &paint.paint(word, tone), 1);
    if let Some(failover) = &summary.last_failover {
        let line =
            format!("last failover: {}, to {} (epoch {}): {}", failover.at, failover.node, failover.epoch, failover.reason);
        text.push_str(&wrapped(&line, 0, WIDTH));
    }
    text
}

fn replication(summary: &Summary) -> String {
    match (summary.sync, summary.primary.is_some()) {
        _ if summary.quorum.nodes == 1 => "a single node".into(),
        (false, _) => "asynchronous".into(),
        (true, false) => "synchronous".into(),
        (true, true) => format!("synchronous ({} acknowledge, {} needed)", summary.quorum.acknowledging, summary.quorum.needed),
    }
}

fn nodes(report: &ClusterReport, paint: Paint) -> String {
    let mut table = Table::new(&["node", "state", "epoch", "tl", "lsn", "lag", "upstream", "sync", "repmgr"]).numbers(&[2, 3, 4]);
    report.pgpools.iter().for_each(|pool| table.column(&pool.name));
    for node in &report.nodes {
        table.row(row(report, node));
    }
    table.text(WIDTH, paint)
}

fn row(report: &ClusterReport, node: &NodeReport) -> Vec<Cell> {
    let is_stale = has(report, node, &["two-primaries", "other-cluster"]);
    let state = match is_stale {
        true => marked(node.state.word().into(), true),
        false => Cell::new(node.state.word(), state_tone(node.state)),
    };
    let Some(lsn) = node.lsn else {
        let detail = node.detail.as_deref().unwrap_or("-");
        let believed = report
            .pgpools
            .iter()
            .filter_map(|pool| Some(format!("{} has it {}; ", pool.name, node.pgpool.as_ref()?.get(&pool.name)?)));
        return vec![node.name.as_str().into(), state, format!("{}{detail}", believed.collect::<String>()).into()];
    };
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let mut cells: Vec<Cell> = vec![
        node.name.as_str().into(),
        state,
        text(node.epoch.map(|epoch| epoch.to_string())).into(),
        text(node.timeline.map(|timeline| timeline.to_string())).into(),
        lsn.to_string().into(),
        lag(report, node),
        upstream(report, node),
        text(node.sync_state.clone()).into(),
        repmgr(report, node),
    ];
    cells.extend(report.pgpools.iter().map(|pool| belief(report, node, pool)));
    cells
}

fn state_tone(state: StateWord) -> Tone {
    match state {
        StateWord::Primary => Tone::Good,
        StateWord::Standby => Tone::Plain,
        StateWord::Waiting => Tone::Odd,
        StateWord::Parked | StateWord::Frozen | StateWord::Unreachable => Tone::Bad,
    }
}

fn lag(report: &ClusterReport, node: &NodeReport) -> Cell {
    let tone = if has(report, node, &["lag", "replay-paused"]) { Tone::Bad } else { Tone::Plain };
    match (node.state, node.lag_bytes, node.lag_seconds) {
        (StateWord::Primary, _, _) | (_, None, _) => "-".into(),
        (_, Some(0), _) => "0 B".into(),
        (_, Some(count), Some(s)) => Cell::new(format!("{}, {}", bytes(count), seconds(s)), tone),
        (_, Some(count), None) => Cell::new(bytes(count), tone),
    }
}

/// `!` marks what contradicts the truth.
fn upstream(report: &ClusterReport, node: &NodeReport) -> Cell {
    match &node.upstream {
        None => "-".into(),
        Some(host) if has(report, node, &["wrong-upstream", "not-streaming"]) => Cell::new(format!("{host} !"), Tone::Bad),
        Some(host) => host.as_str().into(),
    }
}

fn repmgr(report: &ClusterReport, node: &NodeReport) -> Cell {
    let word = match &node.repmgr {
        None => "-".to_owned(),
        Some(row) if row.active => row.kind.clone(),
        Some(row) => format!("{}, off", row.kind),
    };
    marked(word, has(report, node, &["metadata-missing", "metadata-wrong"]))
}

fn belief(report: &ClusterReport, node: &NodeReport, pool: &PoolReport) -> Cell {
    let status = node.pgpool.as_ref().and_then(|words| words.get(&pool.name)).copied().unwrap_or("?");
    let word = if pool.primary.as_ref() == Some(&node.name) { format!("{status}, primary") } else { status.to_owned() };
    marked(word, has(report, node, &["pool-lacks-node", "pool-sends-to-sick", "pool-wrong-primary"]))
}

fn marked(word: String, is_wrong: bool) -> Cell {
    if is_wrong { Cell::new(format!("{word} !"), Tone::Bad) } else { word.into() }
}

fn has(report: &ClusterReport, node: &NodeReport, codes: &[&str]) -> bool {
    report.problems.iter().any(|problem| problem.node == Some(node.number) && codes.contains(&problem.code))
}

/// Its fix follows once for all of the same kind.
fn problem_line(problem: &Problem, paint: Paint) -> String {
    let tone = match problem.weight {
        Weight::Notice => Tone::Plain,
        Weight::Degraded => Tone::Odd,
        Weight::Broken => Tone::Bad,
    };
    // Wrapped with the code in front, then painted: an escape takes no room.
    let text = wrapped(&format!("{}: {}", problem.code, problem.text), 0, WIDTH);
    text.replacen(problem.code, &paint.paint(problem.code, tone), 1)
}
