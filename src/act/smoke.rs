//! Writes a row on the primary and reads it everywhere. The table has a fixed name, so that what a killed run left is dropped by the next.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::model::{NodeName, SmokeStep};
use crate::observe::logins::through_pool;
use crate::observe::peer::Session;
use crate::plan::provision::REPMGR;
use crate::spec::{PgpoolSpec, RolePassword};

/// For one statement; a commit that no standby acknowledges is told after it.
const STATEMENT: Duration = Duration::from_millis(5000);
const PAUSE: Duration = Duration::from_millis(50);
const LOCK: &str = "SELECT pg_try_advisory_lock(hashtext('pgcluster smoke'))";
const MAKE: &str = "DROP TABLE IF EXISTS pgcluster.smoke; CREATE TABLE pgcluster.smoke (token text PRIMARY KEY)";
const INSERT: &str = "INSERT INTO pgcluster.smoke VALUES ($1)";
const COUNT: &str = "SELECT count(*) FROM pgcluster.smoke WHERE token = $1";

/// Sessions in database `repmgr`, one per node that serves.
pub struct Targets<'a> {
    pub primary: (&'a NodeName, &'a Session),
    pub standbys: Vec<(&'a NodeName, &'a Session)>,
    pub pool: Option<&'a PgpoolSpec>,
}

/// Every step that was tried, in order. The table is dropped whatever happened.
pub async fn smoke(targets: &Targets<'_>) -> Vec<SmokeStep> {
    let (name, primary) = targets.primary;
    let token = format!("{:016x}", rand::random::<u64>());
    let mut steps = vec![step(name.as_str(), "write, acknowledged as the mode asks", write(primary, &token)).await];
    if steps[0].ok {
        steps.push(step(name.as_str(), "read it back", read(primary, &token)).await);
        for (name, standby) in &targets.standbys {
            steps.push(step(name.as_str(), "read it there", read_soon(standby, &token)).await);
            steps.push(step(name.as_str(), "refuse a write", refuse(standby)).await);
        }
        if let Some(spec) = targets.pool {
            steps.push(step("pgpool", "read it through pgpool", read_through(spec, &token)).await);
            steps.push(step("pgpool", "write through pgpool", write_through(spec, &token, primary)).await);
            steps.push(step("pgpool", "log in as a service and write", as_a_service(spec)).await);
        }
    }
    steps.push(step(name.as_str(), "leave nothing behind", clean(primary)).await);
    steps
}

async fn step(place: &str, what: &'static str, work: impl Future<Output = anyhow::Result<String>>) -> SmokeStep {
    let began = Instant::now();
    let result = match tokio::time::timeout(STATEMENT * 2, work).await {
        Ok(result) => result,
        Err(_) => Err(anyhow::anyhow!("no answer in {} s", STATEMENT.as_secs() * 2)),
    };
    let (ok, detail) = match result {
        Ok(detail) => (true, detail),
        Err(error) => (false, format!("{error:#}")),
    };
    SmokeStep { place: place.into(), what, ok, detail, ms: began.elapsed().as_millis() as u64 }
}

async fn write(primary: &Client, token: &str) -> anyhow::Result<String> {
    let is_mine: bool = primary.query_one(LOCK, &[]).await?.get(0);
    ensure!(is_mine, "another smoke test is running");
    primary.batch_execute(MAKE).await.context("make the table pgcluster.smoke")?;
    // Our sessions do not wait for standbys; this commit shall.
    let wait = format!("SET synchronous_commit = on; SET statement_timeout = {}", STATEMENT.as_millis());
    primary.batch_execute(&wait).await?;
    let result = primary.execute(INSERT, &[&token]).await;
    primary.batch_execute("SET synchronous_commit = local; SET statement_timeout = 0").await?;
    result.context("insert a row and have it acknowledged")?;
    Ok(String::new())
}

async fn read(client: &Client, token: &str) -> anyhow::Result<String> {
    let rows: i64 = client.query_one(COUNT, &[&token]).await?.get(0);
    ensure!(rows == 1, "the row is not there");
    Ok(String::new())
}

/// A standby replays a moment later; the table itself may not be there yet.
async fn read_soon(standby: &Client, token: &str) -> anyhow::Result<String> {
    let deadline = Instant::now() + STATEMENT;
    loop {
        match read(standby, token).await {
            Ok(detail) => return Ok(detail),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context(format!("not replayed in {} s", STATEMENT.as_secs())));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn refuse(standby: &Client) -> anyhow::Result<String> {
    match standby.batch_execute("CREATE TABLE pgcluster.smoke_refused ()").await {
        Err(error) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
            Ok(error.as_db_error().map(|db| db.message().to_owned()).unwrap_or_default())
        }
        Err(error) => Err(error.into()),
        Ok(()) => {
            standby.batch_execute("DROP TABLE pgcluster.smoke_refused").await?;
            anyhow::bail!("it took the write")
        }
    }
}

async fn repmgr_through(spec: &PgpoolSpec) -> anyhow::Result<Client> {
    let password = spec.cluster.repmgr_password.as_ref().context("pgpool has no REPMGRPWD")?;
    through_pool(spec, REPMGR, password, "repmgr").await
}

/// pgpool sends the question to any node: whichever answers has replayed the row, or is given the time.
async fn read_through(spec: &PgpoolSpec, token: &str) -> anyhow::Result<String> {
    read_soon(&repmgr_through(spec).await?, token).await
}

async fn write_through(spec: &PgpoolSpec, token: &str, primary: &Client) -> anyhow::Result<String> {
    let token = format!("{token} through pgpool");
    let session = repmgr_through(spec).await?;
    session.execute(INSERT, &[&token]).await.context("insert a row through pgpool")?;
    read(primary, &token).await.context("look for it on the primary")
}

/// What a service does, in a table that is gone with its session.
async fn as_a_service(spec: &PgpoolSpec) -> anyhow::Result<String> {
    let given = spec.cluster.services.iter().find_map(|service| match &service.owner_password {
        RolePassword::Given(password) => Some((service.owner(), password)),
        RolePassword::Generate => None,
    });
    let Some((role, password)) = given else { return Ok("no service whose password is known here".into()) };
    let session = through_pool(spec, &role, password, &spec.cluster.database).await?;
    session.batch_execute("CREATE TEMP TABLE pgcluster_smoke AS SELECT 1 AS one; DROP TABLE pgcluster_smoke").await?;
    Ok(format!("{role} in {}", spec.cluster.database))
}

async fn clean(primary: &Client) -> anyhow::Result<String> {
    primary.batch_execute("DROP TABLE IF EXISTS pgcluster.smoke").await?;
    Ok(String::new())
}
