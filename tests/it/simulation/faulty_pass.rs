//! The passes of simulated servers, which may crash or stall.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use windlass::engine::tick::{self, Visitors};
use windlass::liveness::visits::Scope;

use super::company::{self, Fault};
use super::engine::{Crash, Faults};
use super::world::World;

impl World {
    /// At which calls a pass crashes and stalls; 0 is never. At most one visit of a server stalls.
    fn fault(&mut self, held: bool) -> (u64, u64) {
        match self.random.below(8) {
            0..=2 => (1 + self.random.below(25), 0),
            3 if !held => (0, 1 + self.random.below(6)),
            _ => (0, 0),
        }
    }

    /// Runs a pass of a server, which may crash or stall.
    pub(super) async fn pass(&mut self, server: usize) {
        if self.servers[server].stalled.is_some() {
            self.go_on(server).await;
            return;
        }
        let held = self.servers[server].is_visiting();
        if held && self.random.below(3) == 0 {
            self.finish_visits(server).await;
            return;
        }
        let which = self.random.below(12);
        let (crash, stall) = self.fault(held);
        let faults = Arc::clone(&self.servers[server].faults);
        faults.crash_in.store(i64::try_from(crash).unwrap(), Ordering::SeqCst);
        faults.stall_in.store(i64::try_from(stall).unwrap(), Ordering::SeqCst);
        self.log.push(format!("server {server} pass {which} crash {crash} stall {stall}"));
        let (app, now) = (Arc::clone(&self.servers[server].app), self.now());
        let company = if stall == 0 { self.company.clone() } else { None };
        if company.is_some() {
            let fault = self.random.one_of(&[Fault::None, Fault::CrashBefore, Fault::CrashAfter, Fault::Fails]);
            if fault != Fault::None {
                faults.crash_in.store(0, Ordering::SeqCst);
            }
            let in_groups = 1 + i64::try_from(self.random.below(3)).unwrap();
            self.log.push(format!("in company; {fault:?} in group {in_groups}"));
            company::interrupt(&app.db, &faults, fault, in_groups).await;
        }
        let number = self.log.len();
        let mut visitors = std::mem::take(&mut self.servers[server].visitors);
        let seen = Arc::clone(&faults);
        let pass = async move {
            let pass = async {
                match which {
                    0..=3 => drop(tick::plan(&app, now).await),
                    4 => drop(tick::work(&app, now).await),
                    5 | 6 => drop(tick::work_on(&app, Scope::Look, now).await),
                    7 | 8 => drop(tick::work_on(&app, Scope::News, now).await),
                    9 => drop(tick::prune(&app, now).await),
                    _ => {
                        let scope = if which == 10 { Scope::Look } else { Scope::News };
                        tick::work_with(&app, &mut visitors, scope, now).await;
                        until_one_stalls(&mut visitors, &seen).await;
                    }
                }
            };
            match company {
                Some(company) => drop(tokio::join!(pass, company.write_beside(&app, number))),
                None => pass.await,
            }
            visitors
        };
        let task = tokio::spawn(AssertUnwindSafe(pass).catch_unwind().map(|ended| match ended {
            Ok(visitors) => visitors,
            // The visits of a server end with it.
            Err(why) if why.is::<Crash>() => Visitors::default(),
            Err(why) => std::panic::resume_unwind(why),
        }));
        if self.has_ended(server, task, !held && which < 10).await {
            self.replace_if_dead(server).await;
        }
    }

    /// Waits for a pass, which may stall. Returns false if it does.
    async fn has_ended(&mut self, server: usize, mut task: tokio::task::JoinHandle<Visitors>, may_stall: bool) -> bool {
        let faults = Arc::clone(&self.servers[server].faults);
        loop {
            tokio::select! {
                biased;
                ended = &mut task => {
                    self.servers[server].visitors = ended.unwrap();
                    return true;
                }
                () = tokio::time::sleep(std::time::Duration::from_micros(200)) => {
                    if may_stall && faults.stalled.load(Ordering::SeqCst) == 1 {
                        self.servers[server].stalled = Some(task);
                        return false;
                    }
                }
            }
        }
    }

    async fn replace_if_dead(&mut self, server: usize) {
        self.servers[server].faults.crash_in.store(0, Ordering::SeqCst);
        self.servers[server].faults.stall_in.store(0, Ordering::SeqCst);
        if self.servers[server].faults.has_crashed() {
            self.log.push(format!("server {server} crashed"));
            self.servers[server] = self.server().await;
        }
    }

    /// Resumes a stalled pass.
    pub(super) async fn go_on(&mut self, server: usize) {
        let Some(task) = self.servers[server].stalled.take() else { return };
        self.log.push(format!("server {server} resumes"));
        self.servers[server].faults.go_on.notify_one();
        self.servers[server].visitors = task.await.unwrap();
    }

    /// Resumes a stalled visit.
    pub(super) async fn finish_visits(&mut self, server: usize) {
        if self.servers[server].is_visiting() {
            self.log.push(format!("a visit of server {server} resumes"));
            self.servers[server].faults.go_on.notify_one();
            self.servers[server].visitors.finish().await;
        }
    }
}

/// Waits until all visits have been made, except for one that stalls.
async fn until_one_stalls(visitors: &mut Visitors, faults: &Faults) {
    loop {
        tokio::select! {
            biased;
            () = visitors.finish() => return,
            () = tokio::time::sleep(std::time::Duration::from_micros(200)) => {
                if faults.stalled.load(Ordering::SeqCst) == 1 && visitors.left() == 1 {
                    return;
                }
            }
        }
    }
}
