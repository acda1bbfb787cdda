//! One order to the pgpool of this container: connect, say it, go.

use crate::model::NodeNumber;
use crate::pcp::Pcp;
use crate::spec::PgpoolSpec;

/// Attaches a backend; harmless if pgpool has it already. pgpool queues the request while it is busy with a failover.
pub async fn attach(spec: &PgpoolSpec, number: NodeNumber) -> anyhow::Result<()> {
    let mut pcp = Pcp::connect(spec).await?;
    pcp.attach(number).await?;
    pcp.close().await;
    Ok(())
}

/// Detaches a backend; pgpool then runs the failover command, so never wait for this inside of it.
pub async fn detach(spec: &PgpoolSpec, number: NodeNumber) -> anyhow::Result<()> {
    let mut pcp = Pcp::connect(spec).await?;
    pcp.detach(number).await?;
    pcp.close().await;
    Ok(())
}
