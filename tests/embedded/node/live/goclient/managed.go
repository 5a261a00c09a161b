package main

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	held  = "embedded.invalid/reconciled"
	asked = "reconcile"
)

// copies keeps, for each ConfigMap that asks for it, a Secret with its content, and a finalizer.
type copies struct{ client.Client }

func (c *copies) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var source corev1.ConfigMap
	if err := c.Get(ctx, request.NamespacedName, &source); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if source.Labels["asks"] != asked {
		return ctrl.Result{}, nil
	}
	if !source.DeletionTimestamp.IsZero() {
		controllerutil.RemoveFinalizer(&source, held)
		return ctrl.Result{}, client.IgnoreNotFound(c.Update(ctx, &source))
	}
	if controllerutil.AddFinalizer(&source, held) {
		return ctrl.Result{}, c.Update(ctx, &source)
	}
	made := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: source.Name, Namespace: source.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, c.Client, made, func() error {
		made.StringData = source.Data
		return controllerutil.SetControllerReference(&source, made, c.Scheme())
	})
	return ctrl.Result{}, err
}

func managed(ctx context.Context, w *world) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kept, err := ctrl.NewManager(w.config, ctrl.Options{
		LeaderElection:                true,
		LeaderElectionID:              "goclient.embedded.invalid",
		LeaderElectionNamespace:       w.namespace,
		LeaderElectionReleaseOnCancel: true,
		Metrics:                       server.Options{BindAddress: "0"},
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{w.namespace: {}}},
	})
	if err != nil {
		return err
	}
	reconciler := &copies{kept.GetClient()}
	if err = ctrl.NewControllerManagedBy(kept).For(&corev1.ConfigMap{}).Owns(&corev1.Secret{}).Complete(reconciler); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- kept.Start(ctx) }()
	if err = reconciled(ctx, w); err != nil {
		select {
		case told := <-ended:
			return errors.Join(err, told)
		default:
			return err
		}
	}
	cancel()
	return <-ended
}

func reconciled(ctx context.Context, w *world) error {
	source := configMap("managed", "1")
	source.Namespace, source.Labels = w.namespace, map[string]string{"asks": asked}
	if err := w.client.Create(ctx, source); err != nil {
		return err
	}
	copied := func(value string) error {
		return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			var found corev1.Secret
			err := w.client.Get(ctx, client.ObjectKeyFromObject(source), &found)
			return string(found.Data["it"]) == value, client.IgnoreNotFound(err)
		})
	}
	if err := copied("1"); err != nil {
		return err
	}
	patch := client.MergeFrom(source.DeepCopy())
	source.Data["it"] = "2"
	if err := w.client.Patch(ctx, source, patch); err != nil {
		return err
	}
	if err := copied("2"); err != nil {
		return err
	}
	if err := w.client.Delete(ctx, source); err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var found corev1.Secret
		err := w.client.Get(ctx, client.ObjectKeyFromObject(source), &found)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}
