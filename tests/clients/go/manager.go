package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	gadgetFinalizer = "clients.example.com/reconciler"
	gadgetsMax      = 20
)

// manage runs one operator without leader election, then two with it, of which the second takes over when the first stops.
func manage(ctx context.Context, env *environment) error {
	ctrl.SetLogger(logr.Discard())
	undo, err := installGadgets(ctx, env)
	if err != nil {
		return err
	}
	defer undo()
	direct, err := client.New(env.config, client.Options{Scheme: gadgetScheme()})
	if err != nil {
		return err
	}
	alone, err := startGadgets(ctx, env, false)
	if err != nil {
		return err
	}
	if err := gadgetLife(ctx, env, direct, alone); err != nil {
		return err
	}
	if err := alone.stop(); err != nil {
		return err
	}
	return succession(ctx, env, direct)
}

// gadgetLife takes a set of gadgets from their creation to their end.
func gadgetLife(ctx context.Context, env *environment, direct client.Client, operator *gadgets) error {
	for number := range gadgetsMax {
		if err := direct.Create(ctx, newGadget(env.namespace, number)); err != nil {
			return err
		}
	}
	if err := eventually(ctx, "every gadget to be ready", allReady(direct, env.namespace, 1)); err != nil {
		return err
	}
	if err := eventually(ctx, "the operator to come to rest", operator.resting()); err != nil {
		return err
	}
	child := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: env.namespace, Name: "gadget-0"}
	if err := direct.Get(ctx, key, child); err != nil {
		return err
	}
	owner := metav1.GetControllerOf(child)
	child.Data["size"] = "edited by hand"
	if err := direct.Update(ctx, child); err != nil {
		return err
	}
	err := eventually(ctx, "an edited child to be restored", func(ctx context.Context) (bool, error) {
		err := direct.Get(ctx, key, child)
		return err == nil && child.Data["size"] == "1", err
	})
	if err != nil {
		return err
	}
	gadget := &Gadget{}
	if err := direct.Get(ctx, key, gadget); err != nil {
		return err
	}
	before := gadget.DeepCopyObject().(*Gadget)
	gadget.Spec.Size = 5
	if err := direct.Patch(ctx, gadget, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	before.Spec.Size = 6
	stale := direct.Update(ctx, before)
	invalid := direct.Patch(ctx, gadget.DeepCopyObject().(*Gadget), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"size":-1}}`)))
	err = eventually(ctx, "a changed gadget to be followed", func(ctx context.Context) (bool, error) {
		if err := direct.Get(ctx, key, gadget); err != nil {
			return false, err
		}
		err := direct.Get(ctx, key, child)
		return err == nil && child.Data["size"] == "5" && gadget.Status.ObservedGeneration == 2, err
	})
	if err != nil {
		return err
	}
	if err := direct.DeleteAllOf(ctx, &Gadget{}, client.InNamespace(env.namespace)); err != nil {
		return err
	}
	err = eventually(ctx, "gadgets and their children to be gone", func(ctx context.Context) (bool, error) {
		list, children := &GadgetList{}, &corev1.ConfigMapList{}
		if err := direct.List(ctx, list, client.InNamespace(env.namespace)); err != nil {
			return false, err
		}
		err := direct.List(ctx, children, client.InNamespace(env.namespace), client.MatchingLabels{"gadget": "yes"})
		return err == nil && len(list.Items)+len(children.Items) == 0, err
	})
	return first(
		err,
		expect(owner != nil && owner.Kind == "Gadget" && owner.UID == before.UID, "a child owned by its gadget, got %v", owner),
		expect(apierrors.IsConflict(stale), "Conflict, got %v", stale),
		expect(apierrors.IsInvalid(invalid), "Invalid, got %v", invalid),
		expect(operator.finalized.Load() == gadgetsMax, "every gadget finalized once, got %d", operator.finalized.Load()),
	)
}

// succession runs two managers with leader election.
func succession(ctx context.Context, env *environment, direct client.Client) error {
	one, err := startGadgets(ctx, env, true)
	if err != nil {
		return err
	}
	if err := arrived(ctx, one.elected); err != nil {
		return err
	}
	two, err := startGadgets(ctx, env, true)
	if err != nil {
		return err
	}
	if err := direct.Create(ctx, newGadget(env.namespace, 0)); err != nil {
		return err
	}
	if err := eventually(ctx, "the leader to make the gadget ready", allReady(direct, env.namespace, 1)); err != nil {
		return err
	}
	early := two.reconciled.Load()
	if err := first(one.stop(), arrived(ctx, two.elected)); err != nil {
		return err
	}
	gadget := newGadget(env.namespace, 0)
	if err := direct.Patch(ctx, gadget, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"size":2}}`))); err != nil {
		return err
	}
	err = eventually(ctx, "the successor to follow", allReady(direct, env.namespace, 2))
	if err == nil {
		err = direct.Delete(ctx, gadget)
	}
	if err == nil {
		err = eventually(ctx, "the gadget to be gone", func(ctx context.Context) (bool, error) {
			err := direct.Get(ctx, client.ObjectKeyFromObject(gadget), &Gadget{})
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
	}
	return first(err, two.stop(), expect(early == 0, "nothing to be done by who does not lead, got %d", early))
}

func newGadget(namespace string, number int) *Gadget {
	return &Gadget{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "gadget-" + strconv.Itoa(number)}}
}

// allReady looks whether every gadget is ready at a generation.
func allReady(direct client.Client, namespace string, generation int64) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		list := &GadgetList{}
		if err := direct.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return false, err
		}
		for index := range list.Items {
			status := list.Items[index].Status
			if status.ObservedGeneration != generation || !meta.IsStatusConditionTrue(status.Conditions, "Ready") {
				return false, nil
			}
		}
		return len(list.Items) > 0, nil
	}
}

func gadgetScheme() *runtime.Scheme {
	known := runtime.NewScheme()
	_ = scheme.AddToScheme(known) // it fails for nothing but a programming error in client-go
	known.AddKnownTypes(gadgetVersion, &Gadget{}, &GadgetList{})
	metav1.AddToGroupVersion(known, gadgetVersion)
	return known
}

// gadgets is a reconciler in its manager.
type gadgets struct {
	client     client.Client
	elected    <-chan struct{}
	reconciled atomic.Int64
	finalized  atomic.Int64
	cancel     context.CancelFunc
	ended      chan error
}

// startGadgets starts a manager in the scenario's namespace.
func startGadgets(ctx context.Context, env *environment, elects bool) (*gadgets, error) {
	settings := manager.Options{
		Scheme:                        gadgetScheme(),
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{env.namespace: {}}},
		Metrics:                       metricsserver.Options{BindAddress: "0"},
		LeaderElection:                elects,
		LeaderElectionID:              "gadgets",
		LeaderElectionNamespace:       env.namespace,
		LeaderElectionReleaseOnCancel: true,
		RetryPeriod:                   ptr.To(100 * time.Millisecond),
		GracefulShutdownTimeout:       ptr.To(10 * time.Second),
		// Several managers of one process: the metrics would collide by name.
		Controller: config.Controller{SkipNameValidation: ptr.To(true), MaxConcurrentReconciles: 4},
	}
	mgr, err := ctrl.NewManager(env.config, settings)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	operator := &gadgets{client: mgr.GetClient(), elected: mgr.Elected(), cancel: cancel, ended: make(chan error, 1)}
	err = ctrl.NewControllerManagedBy(mgr).
		For(&Gadget{}).
		Owns(&corev1.ConfigMap{}).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(operator.ofSecret), builder.OnlyMetadata).
		Complete(operator)
	if err != nil {
		cancel()
		return nil, err
	}
	go func() { operator.ended <- mgr.Start(ctx) }()
	return operator, nil
}

// stop ends the manager and tells how it ended.
func (g *gadgets) stop() error {
	g.cancel()
	return <-g.ended
}

// resting looks whether nothing was reconciled between two looks: a converged operator that writes runs for ever.
func (g *gadgets) resting() func(context.Context) (bool, error) {
	last := int64(-1)
	return func(context.Context) (bool, error) {
		now := g.reconciled.Load()
		rests := now == last
		last = now
		return rests, nil
	}
}

func (g *gadgets) ofSecret(_ context.Context, secret client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(secret)}}
}

// Reconcile makes a ConfigMap of a gadget, and a status.
func (g *gadgets) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	g.reconciled.Add(1)
	gadget := &Gadget{}
	if err := g.client.Get(ctx, request.NamespacedName, gadget); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !gadget.DeletionTimestamp.IsZero() {
		if controllerutil.RemoveFinalizer(gadget, gadgetFinalizer) {
			if err := g.client.Update(ctx, gadget); err != nil {
				return reconcile.Result{}, client.IgnoreNotFound(err)
			}
			g.finalized.Add(1)
		}
		return reconcile.Result{}, nil
	}
	if controllerutil.AddFinalizer(gadget, gadgetFinalizer) {
		if err := g.client.Update(ctx, gadget); err != nil {
			return reconcile.Result{}, err
		}
	}
	child := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: gadget.Namespace, Name: gadget.Name}}
	_, err := controllerutil.CreateOrUpdate(ctx, g.client, child, func() error {
		child.Labels = map[string]string{"gadget": "yes"}
		child.Data = map[string]string{"size": strconv.FormatInt(gadget.Spec.Size, 10)}
		return controllerutil.SetControllerReference(gadget, child, g.client.Scheme())
	})
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("child: %w", err)
	}
	before := gadget.DeepCopyObject().(*Gadget)
	gadget.Status.ObservedGeneration = gadget.Generation
	meta.SetStatusCondition(&gadget.Status.Conditions, metav1.Condition{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Applied", ObservedGeneration: gadget.Generation,
	})
	return reconcile.Result{}, g.client.Status().Patch(ctx, gadget, client.MergeFrom(before))
}
