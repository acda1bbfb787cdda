//! Everything that the reading commands look at, from whichever container they run in.

use crate::model::{ClusterView, Details, NodeNumber, PoolOpinion};
use crate::observe::environment::{self, Image};
use crate::observe::peer::{self, Sessions};
use crate::observe::{details, pool};
use crate::pcp::Pcp;
use crate::spec::{ClusterKind, ClusterSpec, PgpoolSpec, PostgresSpec};

/// What the container that we run in was told.
pub enum Here {
    Postgres(Box<PostgresSpec>),
    Pgpool(Box<PgpoolSpec>),
}

/// One look from here.
pub struct Look {
    pub view: ClusterView,
    pub details: Vec<(NodeNumber, Details)>,
    /// The pgpool of this container. A database container knows none.
    pub pools: Vec<PoolOpinion>,
    /// To the servers that answered, still open.
    pub sessions: Sessions,
}

impl Here {
    pub fn read() -> anyhow::Result<Here> {
        let snapshot = environment::kept_or_own()?;
        Ok(match environment::image() {
            Image::Postgres => Here::Postgres(Box::new(environment::postgres_spec(&snapshot)?)),
            Image::Pgpool => Here::Pgpool(Box::new(environment::pgpool_spec(&snapshot)?)),
        })
    }

    pub fn cluster(&self) -> &ClusterSpec {
        match self {
            Here::Postgres(spec) => &spec.cluster,
            Here::Pgpool(spec) => &spec.cluster,
        }
    }

    /// Asks all nodes at once, then those that answered for details, and meanwhile the pgpool of this container.
    pub async fn look(&self) -> Look {
        let ((view, sessions), pcp) = tokio::join!(self.ask_states(), self.log_in_to_pool());
        let (details, pools) = tokio::join!(details::ask_all(&sessions), self.ask_pool(pcp, &view));
        Look { view, details, pools, sessions }
    }

    /// The states alone, and the sessions over which they were asked.
    pub async fn ask_states(&self) -> (ClusterView, Sessions) {
        match self {
            Here::Postgres(spec) if spec.cluster.kind == ClusterKind::Standalone => peer::look_at_self(spec).await,
            Here::Postgres(_) | Here::Pgpool(_) => peer::look_and_stay(self.cluster()).await,
        }
    }

    async fn log_in_to_pool(&self) -> Option<Pcp> {
        match self {
            Here::Postgres(_) => None,
            Here::Pgpool(spec) => Pcp::connect(spec).await.ok(),
        }
    }

    async fn ask_pool(&self, pcp: Option<Pcp>, view: &ClusterView) -> Vec<PoolOpinion> {
        let Here::Pgpool(spec) = self else { return Vec::new() };
        let view = match pcp {
            Some(mut pcp) => {
                let believed = pool::read_all(&mut pcp, view).await;
                pcp.close().await;
                Some(believed)
            }
            None => None,
        };
        vec![PoolOpinion { name: spec.name.clone(), view }]
    }
}
