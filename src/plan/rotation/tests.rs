use super::*;

const PRIMARY: Role = Role::Primary;
const STANDBY: Role = Role::Standby;
const WANTED: Takes = Takes::Wanted;
const PREVIOUS: Takes = Takes::Previous;

fn others(readiness: &[Knows]) -> Vec<(String, Knows)> {
    (1..).map(|n| format!("pg{n:02}")).zip(readiness.iter().cloned()).collect()
}

#[test]
fn the_primary_waits_for_whoever_would_be_locked_out() {
    let late = Knows::NotYet("does not know it yet".into());
    let cases = [
        (Taken::Wanted, vec![late.clone()], Roles::Leave),
        (Taken::Previous, vec![], Roles::Change { because: "everybody knows the new one".into() }),
        (Taken::Previous, vec![Knows::Ready, Knows::Away], Roles::Change { because: "everybody knows the new one".into() }),
        (Taken::Previous, vec![Knows::Ready, late.clone()], Roles::Wait { because: "pg02 does not know it yet".into() }),
        (Taken::Neither, vec![late], Roles::Change { because: "the roles have a password that nobody here was told".into() }),
    ];
    for (taken, readiness, expected) in cases {
        assert_eq!(roles(taken, &others(&readiness)), expected, "{taken:?} {readiness:?}");
    }
}

#[test]
fn files_have_what_the_primary_takes() {
    let cases: [(Takes, Vec<Answer>, Files); 9] = [
        (PREVIOUS, vec![None, None], Files::Keep),
        (PREVIOUS, vec![Some((PREVIOUS, PRIMARY)), Some((PREVIOUS, STANDBY))], Files::Keep),
        (PREVIOUS, vec![Some((WANTED, PRIMARY)), Some((PREVIOUS, STANDBY))], Files::Write(WANTED)),
        // A primary that was promoted before the change reached it.
        (WANTED, vec![Some((PREVIOUS, PRIMARY)), Some((WANTED, STANDBY))], Files::Write(PREVIOUS)),
        (WANTED, vec![Some((WANTED, PRIMARY)), Some((PREVIOUS, STANDBY))], Files::Keep),
        // Who is away may come back with the old one.
        (WANTED, vec![Some((WANTED, PRIMARY)), None], Files::Keep),
        (WANTED, vec![Some((WANTED, PRIMARY)), Some((WANTED, STANDBY))], Files::Forget),
        (PREVIOUS, vec![Some((WANTED, STANDBY)), None], Files::Write(WANTED)),
        (PREVIOUS, vec![Some((WANTED, STANDBY)), Some((PREVIOUS, STANDBY))], Files::Keep),
    ];
    for (held, seen, expected) in cases {
        assert_eq!(files(held, &seen), expected, "{held:?} {seen:?}");
    }
}

#[test]
fn only_a_refused_password_calls_for_the_previous_one() {
    let view = |reason: &str| ClusterView {
        nodes: vec![
            (NodeNumber(1), Reach::Refused { reason: reason.into() }),
            (NodeNumber(2), Reach::Silent { reason: "".into() }),
        ],
        hosts: Vec::new(),
    };
    let name = |number: NodeNumber| format!("pg{:02}", number.0 + 1);
    assert_eq!(advice(&view("sorry, too many clients already"), name), None);
    let said = advice(&view("password authentication failed for user \"repmgr\""), name).expect("an advice");
    assert!(said.starts_with("pg02 will not take REPMGRPWD") && said.contains("REPMGRPWD_PREVIOUS"), "{said}");
}
