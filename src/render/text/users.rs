//! The text of `pgcluster users`.

use super::{Cell, Paint, Table, Tone, WIDTH, wrapped};
use crate::model::RoleReport;

pub fn users(roles: &[RoleReport], paint: Paint) -> String {
    let mut table = Table::new(&["role", "exists", "password", "pool_passwd", "through pgpool"]);
    for role in roles {
        table.row(vec![
            role.role.as_str().into(),
            fact(role.exists, "yes", "MISSING"),
            match role.has_password {
                true => fact(role.password_right, "right", "WRONG"),
                false => "generated".into(),
            },
            match role.has_password {
                true => fact(role.in_pool_passwd, "yes", "MISSING"),
                false => "-".into(),
            },
            fact(role.through_pgpool, "logs in", "FAILS"),
        ]);
    }
    let mut text = table.text(WIDTH, paint);
    for role in roles {
        if let Some(error) = &role.error {
            text.push_str(&wrapped(&format!("{}: {error}", role.role), 0, WIDTH));
        }
    }
    text
}

fn fact(value: Option<bool>, yes: &str, no: &str) -> Cell {
    match value {
        None => "-".into(),
        Some(true) => Cell::new(yes, Tone::Good),
        Some(false) => Cell::new(no, Tone::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_out() {
        let good = RoleReport {
            role: "orders_owner".into(),
            exists: Some(true),
            has_password: true,
            password_right: Some(true),
            in_pool_passwd: Some(true),
            through_pgpool: Some(true),
            error: None,
        };
        let wrong = RoleReport {
            role: "orders_user".into(),
            password_right: Some(false),
            through_pgpool: Some(false),
            error: Some("connect to orders_user@pg01:5432: password authentication failed".into()),
            ..good.clone()
        };
        let unknown = RoleReport {
            exists: None,
            has_password: false,
            password_right: None,
            in_pool_passwd: None,
            through_pgpool: None,
            ..good.clone()
        };
        assert!(good.is_good() && !wrong.is_good() && unknown.is_good());
        insta::assert_snapshot!(users(&[good, wrong, unknown], Paint::Plain));
    }
}
