//! `/docker-entrypoint-initdb.d`: every kind of script, in order, once; and all or nothing.

use std::process::{Command, Stdio};

use crate::docker::Scope;
use crate::docker::container::Run;
use crate::docker::files::Files;
use crate::docker::{docker, wait_until};
use crate::{PASSWORD, log_in, server};

const PLACE: &str = "/docker-entrypoint-initdb.d";

/// A statement that leaves its name in table `ran`.
fn trace(who: &str) -> String {
    format!("INSERT INTO ran (who) VALUES ('{who}');\n")
}

/// The same through one of the host's compressors.
fn packed(program: &str, text: &str) -> Vec<u8> {
    let mut child = Command::new("docker")
        .args(["run", "--rm", "-i", "--entrypoint", program, &crate::docker::image("postgres"), "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("docker runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), text.as_bytes()).expect("write to it");
    child.wait_with_output().expect("it ends").stdout
}

#[test]
fn scripts_run_once_in_order_and_nobody_gets_in_meanwhile() {
    let scope = Scope::new("scripts");
    let files = Files::new();
    let executable = format!(
        "#!/bin/bash\nset -e\npsql -q -v ON_ERROR_STOP=1 --username \"$POSTGRES_USER\" --dbname \"$POSTGRES_DB\" \
         -c \"CREATE TABLE ran (number serial, who text)\" -c \"{}\"\n",
        trace("executable $MY_OWN").trim().replace('$', "\\$").replace("\\$MY_OWN", "$MY_OWN")
    );
    files.write_with_mode("10-executable.sh", executable, 0o755);
    let sourced = format!(
        "docker_process_sql -q <<<\"{}\"\n\"${{psql[@]}}\" -q --dbname \"$POSTGRES_DB\" <<<\"{}\"\necho 'work_mem = 5MB' >>\"$PGDATA/postgresql.conf\"\nsleep 2\n",
        trace("docker_process_sql").trim(),
        trace("psql array").trim()
    );
    files.write("20-sourced.sh", sourced);
    files.write("30-plain.sql", trace("sql"));
    files.write("40-gzip.sql.gz", packed("gzip", &trace("gz")));
    files.write("50-xz.sql.xz", packed("xz", &trace("xz")));
    files.write("60-zstd.sql.zst", packed("zstd", &trace("zst")));
    files.write("65-readme.txt", "not for psql");
    files.write("9-last.sql", trace("C locale: 9 after 65"));

    let network = scope.network();
    let host = format!("{}-pg", scope.name);
    let knock = "while true; do pg_isready -q -h \"$0\"; echo $?; sleep 0.03; done";
    let knocker = Run::new(&scope, "knocker", "postgres")
        .option("--network", &network)
        .flag("--no-healthcheck")
        .flag("--init")
        .args(&["bash", "-c", knock, &host])
        .start();
    wait_until("the first knock", crate::docker::container::START, || (!knocker.logs().is_empty()).then_some(()));
    let server = server(&scope, "pg")
        .option("--network", &network)
        .option("--health-interval", "1s")
        .volume(files.at(PLACE))
        .env("POSTGRES_DB", "app")
        .env("MY_OWN", "with my own variable")
        .start();
    server.wait_ready().wait_healthy();
    let ran = server.sql("app", "SELECT who FROM ran ORDER BY number");
    let expected =
        ["executable with my own variable", "docker_process_sql", "psql array", "sql", "gz", "xz", "zst", "C locale: 9 after 65"];
    assert_eq!(ran.lines().collect::<Vec<_>>(), expected);
    assert_eq!(server.sql("app", "SHOW work_mem"), "5MB", "scripts edit $PGDATA/postgresql.conf");
    assert!(server.logs().contains("ignore /docker-entrypoint-initdb.d/65-readme.txt"), "{}", server.logs());

    docker(&["stop", "-t", "1", &knocker.name]);
    // 2: nobody there, 1: starting up, 0: come in. A door that has opened never closes.
    let answers: Vec<u8> = knocker.logs().lines().map(|line| line.parse().expect("pg_isready's exit code")).collect();
    assert!(answers.windows(2).all(|pair| pair[0] >= pair[1]), "{answers:?}");
    assert_eq!((answers.first(), answers.last()), (Some(&2), Some(&0)));

    server.restart();
    assert_eq!(server.sql("app", "SELECT count(*) FROM ran"), "8", "not a second time");
    assert_eq!(log_in(&server, "postgres", PASSWORD, "app", "SELECT 1"), Ok("1".into()));
}

#[test]
fn a_script_that_fails_leaves_nothing_and_the_next_start_begins_anew() {
    for (case, bad, message) in [
        (
            "sql",
            ("20-bad.sql", "CREATE TABLE half ();\nSELECT nonsense;\nCREATE TABLE other_half ();\n"),
            "column \"nonsense\" does not exist",
        ),
        ("sourced", ("20-bad.sh", "docker_process_sql -qc 'CREATE TABLE half ()'\nfalse\necho never\n"), "20-bad.sh"),
    ] {
        let scope = Scope::new(&format!("failing-{case}"));
        let files = Files::new();
        files.write("10-good.sql", "CREATE TABLE good ();\n");
        files.write(bad.0, bad.1);
        let volume = scope.volume("data");
        let run = |name: &str| server(&scope, name).volume(format!("{volume}:/u01/pg17")).volume(files.at(PLACE));
        for name in ["first", "second"] {
            let refusal = run(name).refusal();
            refusal.says(&["run /docker-entrypoint-initdb.d/20-bad", message]);
            assert!(!refusal.said.contains(PASSWORD), "{}", refusal.said);
        }
        let left =
            Run::new(&scope, "look", "postgres").volume(format!("{volume}:/u01/pg17")).args(&["ls", "-A", "/u01/pg17"]).output();
        assert!(!String::from_utf8_lossy(&left.stdout).lines().any(|line| line == "data"));
        files.write(bad.0, "\n");
        let server = run("third").start();
        server.wait_ready();
        assert_eq!(server.sql("postgres", "SELECT relname FROM pg_class WHERE relname ~ 'good|half'"), "good");
    }
}
