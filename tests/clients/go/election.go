package main

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// election lets two candidates contend for a Lease: one leads, gives it up, and the other takes over at once.
func election(ctx context.Context, env *environment) error {
	oneCtx, resign := context.WithCancel(ctx)
	defer resign()
	twoCtx, stop := context.WithCancel(ctx)
	defer stop()
	oneLeads, oneLeft, err := candidate(oneCtx, env, "one")
	if err != nil {
		return err
	}
	if err := arrived(ctx, oneLeads); err != nil {
		return err
	}
	twoLeads, twoLeft, err := candidate(twoCtx, env, "two")
	if err != nil {
		return err
	}
	leases := env.client.CoordinationV1().Leases(env.namespace)
	before, err := leases.Get(ctx, "leader", metav1.GetOptions{})
	if err != nil {
		return err
	}
	err = eventually(ctx, "the lease to be renewed", func(ctx context.Context) (bool, error) {
		now, err := leases.Get(ctx, "leader", metav1.GetOptions{})
		return err == nil && now.Spec.RenewTime.After(before.Spec.RenewTime.Time), err
	})
	if err != nil {
		return err
	}
	select {
	case <-twoLeads:
		return expect(false, "one leader at a time")
	default:
	}
	resign()
	if err := first(arrived(ctx, oneLeft), arrived(ctx, twoLeads)); err != nil {
		return err
	}
	lease, err := leases.Get(ctx, "leader", metav1.GetOptions{})
	if err != nil {
		return err
	}
	stop()
	return first(
		arrived(ctx, twoLeft),
		expect(*lease.Spec.HolderIdentity == "two" && *lease.Spec.LeaseTransitions > *before.Spec.LeaseTransitions,
			"the lease to tell of the change, got %v", lease.Spec),
	)
}

func candidate(ctx context.Context, env *environment, identity string) (leads, left chan struct{}, err error) {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, env.namespace, "leader", env.client.CoreV1(),
		env.client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: identity})
	if err != nil {
		return nil, nil, err
	}
	leads, left = make(chan struct{}), make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   20 * time.Second,
		RenewDeadline:   10 * time.Second,
		RetryPeriod:     100 * time.Millisecond,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(leads) },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return nil, nil, err
	}
	go func() {
		defer close(left)
		elector.Run(ctx)
	}()
	return leads, left, nil
}

// arrived waits for a moment.
func arrived(ctx context.Context, moment <-chan struct{}) error {
	select {
	case <-moment:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
