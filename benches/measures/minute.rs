//! An instant at which very many jobs are due: how fast their times become runs.

use std::time::Instant;

use entity::run;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use windlass::engine::tick;

use super::app::app;
use super::bench::Bench;
use super::rows;
use super::table::Rounds;

const JOBS: usize = 300_000;

pub(crate) async fn measure(bench: &mut Bench) {
    let (mut rate, jobs) = (Rounds::default(), JOBS / bench.divisor);
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let app = app(installation.folder(), &installation.url).await;
        let environment = rows::environment(&app.db).await;
        let now = app.clock.now();
        rows::jobs(&app.db, &environment, jobs, &bench.program, now).await;
        let begin = Instant::now();
        while tick::plan(&app, now).await.more {}
        rate.add(database, jobs as f64 / begin.elapsed().as_secs_f64());
        assert_eq!(run::Entity::find().count(&app.db).await.unwrap(), jobs as u64);
        app.db.clone().close().await.unwrap();
        installation.end().await;
    }
    bench.table.row(&format!("{jobs} jobs due at one instant, times recorded"), "per second", rate.median(), None);
}
