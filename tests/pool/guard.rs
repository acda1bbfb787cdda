//! pgpool's own fault: a child that is told to end right after its fork runs the exit handlers of its parent.

use std::time::{Duration, Instant};

use crate::belief::{ALL_UP, INTERVAL, SERVER, SLACK, checks, pcp, wait_for, wait_writable};
use crate::build::{Cluster, POOL};
use crate::docker::wait_until;

/// On a busy machine one child in a few is told before it has run.
const PATIENCE: Duration = Duration::from_secs(60);
/// pgpool says so in its log.
const THERE: &str = "system_will_go_down called from invalid process";
const PUT_BACK: &str = "put /run/pgpool/.s.PGSQL.9898 back";
/// Ends a child, so that another is forked, and tells that one to end as soon as it is there, as pgpool does in a failover.
const TELL_THE_NEWBORN: &str = r#"
my $main = <STDIN> + 0;
sub children { open my $file, "<", "/proc/$main/task/$main/children" or die; split " ", <$file> // "" }
sub title { open my $file, "<", "/proc/$_[0]/cmdline" or return ""; <$file> // "" }
for (1 .. 5) {
    my %old = map { $_ => 1 } children();
    my ($any) = grep { title($_) =~ /wait for accept/ } keys %old or exit;
    kill "VTALRM", $any;
    for (1 .. 5000) { my ($new) = grep { !$old{$_} } children(); if ($new) { kill "QUIT", $new; last } }
}
"#;

#[test]
fn a_child_that_runs_its_parents_exit_handlers_takes_nothing_along() {
    let cluster = Cluster::nodes("pool-guard", 3).pgpool().env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.wait_healthy("pg01");
    // The first check gives the files their second names.
    std::thread::sleep(INTERVAL);
    cluster.exec(POOL, &["sh", "-c", "for i in 1 2 3 4; do timeout 60 sh -c 'while :; do :; done' & done >/dev/null 2>&1"]);
    let began = Instant::now();
    while !cluster.logs(POOL).contains(THERE) {
        assert!(began.elapsed() < PATIENCE, "no child ran its parent's exit handlers in {PATIENCE:?}");
        cluster.exec(POOL, &["sh", "-c", &format!("perl -e '{TELL_THE_NEWBORN}' </run/pgcluster/pgpool.pid")]);
    }
    eprintln!("a child ran its parent's exit handlers after {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(cluster.exec(POOL, &["sh", "-c", "tail -n +2 /proc/sysvipc/sem | wc -l"]).trim(), "1", "sets of semaphores");
    wait_until("a check puts the sockets back", INTERVAL * 3, || checks(&cluster).contains(PUT_BACK).then_some(()));
    pcp(&cluster, "pcp_detach_node", &["-n", "2"]).unwrap();
    wait_for(&cluster, "detached pg03", INTERVAL * 4 + SLACK, ALL_UP);
    wait_writable(&cluster, "detached pg03", SLACK);
}
