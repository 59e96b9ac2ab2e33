#!/bin/sh
# SQLite 3.51.1 (rusqlite 0.38.0): a prepared statement with a bound LIMIT is parsed and planned again at each execution.
#
# The planner reads the bound value of a LIMIT, so binding one outdates the statement, also if the value is the same as before. It prepares
# itself again inside of sqlite3_step, where nobody sees it. sea-query 1.0.1 always binds the LIMIT, so an ORM on top of it that looks up one
# row by its key, with LIMIT 1, pays for a parse at every lookup. A good guess is that preparing once and binding often is what prepared
# statements are for, and that a LIMIT behind a lookup by key costs nothing. A literal LIMIT does not have it, and neither has a connection
# with the query planner stability guarantee (SQLITE_DBCONFIG_ENABLE_QPSG), which also makes partial indexes depend on literals alone.
#
# Needs: cargo, a C compiler, and the registry of crates. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'EOF'
[package]
name = "limits"
version = "0.1.0"
edition = "2024"
[dependencies]
rusqlite = { version = "=0.38.0", features = ["bundled"] }
sea-query = "=1.0.1"
[workspace]
EOF
cat > src/main.rs <<'EOF'
use rusqlite::{Connection, StatementStatus};
use sea_query::{Alias, Expr, ExprTrait, Query, SqliteQueryBuilder};

fn main() {
    println!("SQLite {}", rusqlite::version());
    let (built, _) = Query::select()
        .column(Alias::new("name"))
        .from(Alias::new("person"))
        .and_where(Expr::col(Alias::new("id")).eq(7))
        .limit(1)
        .build(SqliteQueryBuilder);
    println!("sea-query: {built}");
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO person VALUES (7, 'Ada')").unwrap();
    let literal = built.replace("LIMIT ?", "LIMIT 1");
    for sql in [&built, &literal] {
        let mut statement = db.prepare(sql).unwrap();
        for _ in 0..100 {
            let values: Vec<i64> = [7, 1].into_iter().take(statement.parameter_count()).collect();
            let name: String = statement.query_row(rusqlite::params_from_iter(values), |row| row.get(0)).unwrap();
            assert_eq!(name, "Ada");
        }
        let end = &sql[sql.find("LIMIT").unwrap()..];
        println!("{end}: 100 executions, prepared again {} times", statement.get_status(StatementStatus::RePrepare));
    }
}
EOF
cargo run --quiet > seen.txt 2>build.log || { cat build.log; exit 1; }
seen=$(cat seen.txt)
printf '%s\n' "$seen"
expected='SQLite 3.51.1
sea-query: SELECT "name" FROM "person" WHERE "id" = ? LIMIT ?
LIMIT ?: 100 executions, prepared again 100 times
LIMIT 1: 100 executions, prepared again 0 times'
[ "$seen" = "$expected" ] || { echo "expected:"; printf '%s\n' "$expected"; exit 1; }
