//! Which releases of PostgreSQL and pgpool-II have holes that are known: the table behind a warning at the start and two checks of
//! `doctor`. Only holes that a client can use, and that settings do not close.

/// `mended`: branches and their first release without it. Older branches get no more mends.
struct Hole {
    cves: &'static str,
    lets: &'static str,
    mended: &'static [(u32, u32)],
}

/// Branches are major versions (<https://www.postgresql.org/support/security/>).
const POSTGRES: &[Hole] = &[
    Hole {
        cves: "CVE-2026-2005, CVE-2026-2006",
        lets: "a client runs code in the server",
        mended: &[(18, 2), (17, 8), (16, 12), (15, 16), (14, 21)],
    },
    Hole {
        cves: "CVE-2025-8714, CVE-2025-8715",
        lets: "a dump runs code where it is restored",
        mended: &[(18, 0), (17, 6), (16, 10), (15, 14), (14, 19), (13, 22)],
    },
    Hole {
        cves: "CVE-2025-1094",
        lets: "quoted text of a broken encoding becomes SQL",
        mended: &[(18, 0), (17, 3), (16, 7), (15, 11), (14, 16), (13, 19)],
    },
];

/// Branches are 406 for 4.6 (<https://www.pgpool.net/mediawiki/index.php/Main_Page>).
const PGPOOL: &[Hole] = &[
    Hole {
        cves: "CVE-2025-46801",
        lets: "a client comes in without a password",
        mended: &[(406, 1), (405, 7), (404, 12), (403, 15), (402, 22)],
    },
    Hole {
        cves: "CVE-2024-45624",
        lets: "the query cache shows rows of others",
        mended: &[(406, 0), (405, 4), (404, 9), (403, 12), (402, 19)],
    },
];

/// The holes of PostgreSQL `major.minor` in words; none = none that is known.
pub fn postgres(major: u32, minor: u32) -> Option<String> {
    words(POSTGRES, major, minor, |branch, first| format!("{branch}.{first}"))
}

/// The same of pgpool-II.
pub fn pgpool(major: u32, minor: u32, patch: u32) -> Option<String> {
    words(PGPOOL, major * 100 + minor, patch, |branch, first| format!("{}.{}.{first}", branch / 100, branch % 100))
}

fn words(table: &[Hole], branch: u32, release: u32, name: impl Fn(u32, u32) -> String) -> Option<String> {
    let said = |hole: &Hole| match hole.mended.iter().find(|(mended, _)| *mended == branch) {
        Some((_, first)) if release >= *first => None,
        Some((_, first)) => Some(format!("{} ({}; mended in {})", hole.cves, hole.lets, name(branch, *first))),
        None if hole.mended.iter().all(|(mended, _)| *mended < branch) => None,
        None => Some(format!("{} ({}; not mended in this branch)", hole.cves, hole.lets)),
    };
    let found: Vec<String> = table.iter().filter_map(said).collect();
    (!found.is_empty()).then(|| found.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{pgpool, postgres};

    #[test]
    fn what_is_mended_is_not_said() {
        for (major, minor) in [(17, 8), (17, 10), (18, 2), (19, 0), (14, 21)] {
            assert_eq!(postgres(major, minor), None, "{major}.{minor}");
        }
        for (minor, patch) in [(6, 1), (5, 7), (7, 0), (2, 22)] {
            assert_eq!(pgpool(4, minor, patch), None, "4.{minor}.{patch}");
        }
    }

    #[test]
    fn a_hole_comes_with_what_it_lets_and_where_it_is_mended() {
        let newest = "CVE-2026-2005, CVE-2026-2006 (a client runs code in the server; mended in 17.8)";
        assert_eq!(postgres(17, 7).as_deref(), Some(newest));
        let older = "CVE-2025-8714, CVE-2025-8715 (a dump runs code where it is restored; mended in 17.6)";
        assert_eq!(postgres(17, 5), Some(format!("{newest}, {older}")));
        assert_eq!(pgpool(4, 6, 0).as_deref(), Some("CVE-2025-46801 (a client comes in without a password; mended in 4.6.1)"));
    }

    #[test]
    fn an_old_branch_stays_as_it_is() {
        let all = postgres(12, 22).unwrap();
        assert_eq!(all.matches("not mended in this branch").count(), 3, "{all}");
        assert_eq!(pgpool(3, 6, 24).unwrap().matches("not mended").count(), 2);
    }
}
