//! The long question to one server, over the session that answered the short one.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use tokio_postgres::Client;

use crate::model::{HbaRule, ParameterFloor, ServerFacts, Slot};

/// Around everything that one server is asked.
const DEADLINE: Duration = Duration::from_secs(4);

/// One row of JSON. Never reads a password: of a verifier only how it begins.
///
/// `synchronous_commit` is that of the files, because our own sessions change theirs.
const QUESTION: &str = "
SELECT json_build_object(
  'is_standby', pg_is_in_recovery(),
  'version', current_setting('server_version_num')::int,
  'settings', (SELECT json_object_agg(name, setting) FROM (
      SELECT name, setting FROM pg_settings WHERE name IN ('ssl', 'password_encryption', 'log_statement', 'fsync', 'full_page_writes',
        'synchronous_standby_names', 'restart_after_crash', 'wal_sender_timeout', 'wal_receiver_timeout', 'data_checksums',
        'wal_log_hints', 'max_slot_wal_keep_size')
      UNION ALL SELECT 'pgcluster.nodes', coalesce(current_setting('pgcluster.nodes', true), '')
      UNION ALL SELECT 'synchronous_commit', coalesce(
        (SELECT setting FROM pg_file_settings WHERE name = 'synchronous_commit' AND applied ORDER BY seqno DESC LIMIT 1), 'on')) s),
  'floor', ARRAY[current_setting('max_connections'), current_setting('max_worker_processes'), current_setting('max_wal_senders'),
                 current_setting('max_prepared_transactions'), current_setting('max_locks_per_transaction')]::int[],
  'pending_restart', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE pending_restart),
  'bad_settings', (SELECT coalesce(json_agg(coalesce(f.name, f.sourcefile || ':' || f.sourceline) || ': ' || f.error), '[]')
     FROM pg_file_settings f LEFT JOIN pg_settings s ON s.name = lower(f.name) WHERE f.error IS NOT NULL AND NOT coalesce(s.pending_restart, false)),
  'hba', (SELECT coalesce(json_agg(json_build_object('line', line_number, 'kind', type, 'address', coalesce(address, ''), 'method', auth_method)
            ORDER BY line_number), '[]') FROM pg_hba_file_rules WHERE error IS NULL),
  'bad_hba', (SELECT coalesce(json_agg('pg_hba.conf line ' || line_number || ': ' || error), '[]') FROM pg_hba_file_rules WHERE error IS NOT NULL),
  'md5_roles', (SELECT coalesce(json_agg(rolname ORDER BY rolname), '[]') FROM pg_authid WHERE rolpassword LIKE 'md5%'),
  'superusers', (SELECT coalesce(json_agg(rolname ORDER BY rolname), '[]') FROM pg_roles
                 WHERE rolsuper AND oid <> 10 AND rolname NOT IN ('postgres', 'repmgr')),
  'slots', (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'is_active', active, 'wal_status', coalesce(wal_status, ''))), '[]')
            FROM pg_replication_slots),
  'unarchived', (SELECT last_failed_wal FROM pg_stat_archiver
                 WHERE current_setting('archive_mode') <> 'off' AND last_failed_time > coalesce(last_archived_time, '-infinity')),
  'old_collations', (SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database
                     WHERE datallowconn AND datcollversion <> pg_database_collation_actual_version(oid)),
  'oldest_xid_age', (SELECT max(age(datfrozenxid)) FROM pg_database),
  'sessions', ARRAY[(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                    - coalesce(current_setting('reserved_connections', true), '0')::int],
  'pid1', btrim(coalesce(pg_read_file('/proc/1/comm', 0, 100, true), ''), E'\\n'),
  'now_ms', (extract(epoch FROM clock_timestamp()) * 1000)::int8)::text";

/// None if the server did not answer in time, or not what was asked.
pub async fn ask(client: &Client) -> Option<ServerFacts> {
    let began = now_ms();
    let row = match tokio::time::timeout(DEADLINE, client.query_one(QUESTION, &[])).await {
        Ok(Ok(row)) => row,
        Ok(Err(error)) => {
            tracing::debug!("ask a server for its settings: {:#}", anyhow::Error::new(error));
            return None;
        }
        Err(_) => return None,
    };
    let ended = now_ms();
    let answer: Answer = serde_json::from_str(row.get(0)).ok()?;
    // It read its clock somewhere between our two looks at ours.
    let skew_ms = (answer.now_ms - ended).max(0) + (answer.now_ms - began).min(0);
    Some(answer.into_facts(skew_ms))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

#[derive(Deserialize)]
struct Answer {
    is_standby: bool,
    version: u32,
    settings: BTreeMap<String, String>,
    floor: [u32; 5],
    pending_restart: Vec<String>,
    bad_settings: Vec<String>,
    hba: Vec<Rule>,
    bad_hba: Vec<String>,
    md5_roles: Vec<String>,
    superusers: Vec<String>,
    slots: Vec<SlotRow>,
    unarchived: Option<String>,
    old_collations: Vec<String>,
    oldest_xid_age: i64,
    sessions: (i64, i64),
    pid1: String,
    now_ms: i64,
}

#[derive(Deserialize)]
struct Rule {
    line: i32,
    kind: String,
    address: String,
    method: String,
}

#[derive(Deserialize)]
struct SlotRow {
    name: String,
    is_active: bool,
    wal_status: String,
}

impl Answer {
    fn into_facts(self, skew_ms: i64) -> ServerFacts {
        let rule = |rule: Rule| HbaRule { line: rule.line, kind: rule.kind, address: rule.address, method: rule.method };
        let slot = |slot: SlotRow| Slot { name: slot.name, is_active: slot.is_active, wal_status: slot.wal_status };
        ServerFacts {
            is_standby: self.is_standby,
            version: self.version,
            settings: self.settings,
            floor: ParameterFloor::from_values(self.floor),
            pending_restart: self.pending_restart,
            bad_settings: self.bad_settings,
            hba: self.hba.into_iter().map(rule).collect(),
            bad_hba: self.bad_hba,
            md5_roles: self.md5_roles,
            superusers: self.superusers,
            slots: self.slots.into_iter().map(slot).collect(),
            unarchived: self.unarchived,
            old_collations: self.old_collations,
            oldest_xid_age: self.oldest_xid_age,
            sessions: self.sessions,
            pid1: self.pid1,
            skew_ms,
        }
    }
}
