//! The text of `pgcluster plan`.

use super::{WIDTH, wrapped};
use crate::model::NextStart;

pub fn plan(next: &NextStart) -> String {
    let mut text = format!("{} would {}\n{}", next.node, next.verdict, wrapped(&next.because, 4, WIDTH));
    if let Some(later) = &next.later {
        text.push_str(&format!("and, if nothing changes, after {} s: {}\n", later.after_s, later.verdict));
        text.push_str(&wrapped(&later.because, 4, WIDTH));
    }
    let own = next.own_data.iter().map(|own| format!("own data: {own}"));
    let backends = next.backends.iter().flatten().map(|line| format!("backend {line}"));
    let others = next.others.iter().map(|line| format!("seen: {line}"));
    own.chain(backends).chain(others).for_each(|line| text.push_str(&wrapped(&line, 0, WIDTH)));
    text
}

#[cfg(test)]
mod tests {
    use super::plan;
    use crate::model::{Later, NextStart};

    #[test]
    fn a_node_that_waits_says_what_comes_later() {
        let next = NextStart {
            node: "pg03".into(),
            verdict: "wait".into(),
            because: "node 0 is primary; waiting for node 1 to confirm it before copying".into(),
            later: Some(Later { after_s: 30, verdict: "clone from node 0".into(), because: "no data here".into() }),
            own_data: Some("none".into()),
            backends: None,
            others: vec!["pg01 primary".into(), "pg02 silent".into()],
        };
        let expected = [
            "pg03 would wait",
            "    node 0 is primary; waiting for node 1 to confirm it before copying",
            "and, if nothing changes, after 30 s: clone from node 0",
            "    no data here",
            "own data: none",
            "seen: pg01 primary",
            "seen: pg02 silent",
        ];
        assert_eq!(plan(&next).lines().collect::<Vec<_>>(), expected);
        let pool = NextStart { later: None, own_data: None, backends: Some(vec!["pg01: up, the primary".into()]), ..next };
        assert!(plan(&pool).contains("\nbackend pg01: up, the primary\nseen: pg01 primary\n"));
    }
}
