package boot

import (
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
)

// Broadcast returns the handler of the function broadcast. Batches and sweeps have posters of
// their own, with the budgets of the settings.
func (e Env) Broadcast(batches, sweeps hub.Poster) handler.BroadcastFunc {
	batches, sweeps = logs.Poster(batches, e.Log), logs.Poster(sweeps, e.Log)
	return handler.Broadcast(e.Hub(batches).WithPostsPerSecond(e.PostsPerSecond), handler.BroadcastOptions{
		Layout:     e.Layout,
		SweepTable: e.SweepTable, Sweeper: e.Hub(sweeps).WithPostsPerSecond(e.SweepPostsPerSecond),
		OnBatch: e.Metrics.Broadcast, OnHeal: e.Metrics.Healed, OnSweep: e.Metrics.Swept,
	}, e.Log)
}
