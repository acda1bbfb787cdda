//! What we quote, read by whom it is written for: PostgreSQL (SQL, its configuration, pg_hba.conf, its own rewriting of
//! postgresql.auto.conf) and libpq (connection strings, the password file, SCRAM).

use std::fmt::Write;

use pgcluster::render::auto_conf;
use pgcluster::render::quote::{conninfo, hba_name, pgpass_line, postgresql_conf, sql_identifier, sql_literal};
use pgcluster::render::scram;

use crate::dice::texts;
use crate::docker::Scope;
use crate::docker::container::{Container, Run};
use crate::docker::files::Files;

/// Of each kind.
const VALUES: usize = 200;
const LOGINS: usize = 40;

/// Of every script and plane, and often what a grammar might trip over.
const ANY: &str = r#"([^\x00]|['"\\$:#,=;`%{}()\n\r\t /@+*é]{1,4}){0,24}"#;
const ONE_LINE: &str = r#"([^\x00\r\n]|['"\\$:#,=;`%{} /@+*é]{1,4}){1,20}"#;
/// What a password may be: nothing that is a control character.
const PASSWORD: &str = r#"(\PC|['"\\$:#,=;`%{} /@+*éﬀ]{1,4}){1,20}"#;

/// An SQL expression that is this text, by a way without quoting.
fn in_sql(text: &str) -> String {
    let hex = text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("convert_from(decode('{hex}', 'hex'), 'UTF8')")
}

/// Prints the place when the condition does not hold.
fn check(script: &mut String, place: &str, condition: &str) {
    writeln!(script, "SELECT '{place}' WHERE ({condition}) IS NOT TRUE;").unwrap();
}

fn cut(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[test]
fn postgresql_and_libpq_read_what_was_meant() {
    let scope = Scope::new("round");
    let files = Files::new();
    let values = texts(ANY, VALUES);
    let names: Vec<String> = texts(ONE_LINE, VALUES).iter().enumerate().map(|(i, name)| cut(&format!("{i}{name}"), 63)).collect();
    files.write("values.conf", conf_lines(&values));
    // PostgreSQL itself writes no newline there.
    let values_of_auto: Vec<String> = values.iter().map(|value| value.replace('\n', "")).collect();
    let auto_conf = auto_conf::with("", &as_changes(&auto_names(), &values_of_auto)).unwrap();
    files.write("auto.conf", &auto_conf);
    files.write("hba.conf", hba_lines(&names));
    let mut script = String::new();
    sql(&mut script, &values, &names);
    settings(&mut script, "x", &values);
    settings(&mut script, "y", &values_of_auto);
    access_rules(&mut script, &names);
    let passwords = texts(PASSWORD, LOGINS);
    roles(&mut script, &names, &passwords);
    script.push_str("SELECT 'done';\n");
    files.write("check.sql", script);
    logins(&files, &names, &passwords);

    let server = Run::new(&scope, "server", "postgres").volume(files.at("/w")).option("--entrypoint", "sleep");
    let server = server.flag("--no-healthcheck").flag("--init").option("--network", "none").args(&["infinity"]).start();
    server.exec(&["bash", "-euc", START]);
    let said = server.exec(&["psql", "-XAtqh", "/tmp", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-f", "/w/check.sql"]);
    assert_eq!(said, "done", "these are not what was meant");
    rewritten(&server, &auto_conf);
    let said = server.exec(&["bash", "-uc", LOG_IN]);
    assert_eq!(said, format!("{} logins", 2 * LOGINS), "these did not get in");
}

const START: &str = "
    initdb -D /u01/pg17/d -U postgres --auth=trust -E UTF8 --locale=C --no-sync >/dev/null
    cd /u01/pg17/d
    cp /w/auto.conf postgresql.auto.conf
    cp /w/hba.conf pg_hba.conf
    echo \"include '/w/values.conf'\" >>postgresql.conf
    pg_ctl -D /u01/pg17/d -o '-k /tmp -c listen_addresses=127.0.0.1 -c fsync=off' -l /tmp/log -w start >/dev/null || { cat /tmp/log; exit 1; }";

/// Says which role did not get in, and how many logins there were.
const LOG_IN: &str = "
    umask 077
    count=0
    for ((i = 0; i < $(ls /w/role-* | wc -l); i++)); do
      cat /w/pass-$i >/tmp/pass-$i
      for way in passfile password; do
        role=$(psql \"$(</w/$way-$i)\" -XAtqwc 'SELECT current_user' 2>&1)
        [ \"$role\" = \"$(</w/role-$i)\" ] || echo \"$way $i: $role\"
        count=$((count + 1))
      done
    done
    echo \"$count logins\"";

fn conf_lines(values: &[String]) -> String {
    values.iter().enumerate().map(|(i, value)| format!("x.v{i} = {} # '\n", postgresql_conf(value).unwrap())).collect()
}

fn auto_names() -> Vec<String> {
    (0..VALUES).map(|i| format!("y.v{i}")).collect()
}

fn as_changes<'a>(names: &'a [String], values: &'a [String]) -> Vec<(&'a str, Option<&'a str>)> {
    names.iter().zip(values).map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect()
}

/// Two lines for the logins, then one line a name.
fn hba_lines(names: &[String]) -> String {
    let mut lines = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n".to_owned();
    for name in names {
        match hba_name(name) {
            Ok(quoted) => writeln!(lines, "host {quoted} {quoted} 192.0.2.1/32 reject").unwrap(),
            Err(_) => lines.push_str("# cannot be written\n"),
        }
    }
    lines
}

fn sql(script: &mut String, values: &[String], names: &[String]) {
    for conforming in ["on", "off"] {
        writeln!(script, "SET standard_conforming_strings = {conforming}; SET escape_string_warning = off;").unwrap();
        for (i, value) in values.iter().enumerate() {
            check(script, &format!("literal {i}"), &format!("{} = {}", sql_literal(value).unwrap(), in_sql(value)));
        }
    }
    script.push_str("RESET standard_conforming_strings;\n");
    for (i, name) in names.iter().enumerate() {
        writeln!(script, "CREATE TEMP TABLE {} ();", sql_identifier(name).unwrap()).unwrap();
        let found = format!("EXISTS (SELECT FROM pg_class WHERE relpersistence = 't' AND relname = {})", in_sql(name));
        check(script, &format!("identifier {i}"), &found);
    }
}

fn settings(script: &mut String, class: &str, values: &[String]) {
    for (i, value) in values.iter().enumerate() {
        let condition = format!("current_setting('{class}.v{i}') = {}", in_sql(value));
        check(script, &format!("setting {class} {i}"), &condition);
    }
}

fn access_rules(script: &mut String, names: &[String]) {
    let written: Vec<usize> = (0..names.len()).filter(|i| hba_name(&names[*i]).is_ok()).collect();
    assert!(written.len() > VALUES / 2, "most names can be written");
    for i in written {
        let name = in_sql(&names[i]);
        let rule =
            format!("line_number = {} AND error IS NULL AND database = ARRAY[{name}] AND user_name = ARRAY[{name}]", i + 3);
        check(script, &format!("rule {i}"), &format!("EXISTS (SELECT FROM pg_hba_file_rules WHERE {rule})"));
    }
}

/// With verifiers, as the entrypoint makes them.
fn roles(script: &mut String, names: &[String], passwords: &[String]) {
    for (i, (name, password)) in names.iter().zip(passwords).enumerate() {
        let verifier = scram::verifier(password, [i as u8; 16], scram::ITERATIONS);
        let (name, verifier) = (sql_identifier(name).unwrap(), sql_literal(&verifier).unwrap());
        writeln!(script, "CREATE ROLE {name} LOGIN PASSWORD {verifier};").unwrap();
    }
}

/// Two ways to give the password: the file that the string names, and the string itself.
fn logins(files: &Files, names: &[String], passwords: &[String]) {
    for (i, (name, password)) in names.iter().zip(passwords).enumerate() {
        let pass_file = format!("/tmp/pass-{i}");
        let server = [("host", "127.0.0.1"), ("dbname", "postgres"), ("user", name)];
        let by = |way: (&str, &str)| conninfo(&[&server[..], &[way]].concat()).unwrap();
        files.write(&format!("role-{i}"), name);
        files.write(&format!("passfile-{i}"), by(("passfile", &pass_file)));
        files.write(&format!("password-{i}"), by(("password", password)));
        files.write(&format!("pass-{i}"), pgpass_line("127.0.0.1", "5432", "*", name, password).unwrap() + "\n");
    }
}

/// PostgreSQL keeps every value when it rewrites the file, and we read what it wrote.
fn rewritten(server: &Container, before: &str) {
    server.exec(&["psql", "-Xqh", "/tmp", "-U", "postgres", "-c", "ALTER SYSTEM SET work_mem = '5MB'"]);
    let after = server.exec(&["cat", "/u01/pg17/d/postgresql.auto.conf"]);
    let mut expected = auto_conf::read(before);
    expected.push(("work_mem".into(), "5MB".into()));
    assert_eq!(auto_conf::read(&after), expected);
}
