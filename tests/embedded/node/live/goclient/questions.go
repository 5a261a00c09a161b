package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/remotecommand"
)

const manager = "goclient"

var questions = []question{
	{"typed objects as protobuf", typedObjects},
	{"a stale update is a conflict", staleUpdate},
	{"a deletion has preconditions", preconditions},
	{"server-side apply", serverSideApply},
	{"owners and finalizers", ownersAndFinalizers},
	{"an informer by WatchList", informer},
	{"a manager with leader election", managed},
	{"exec over SPDY with input", spdyExec},
	{"exec over SPDY has exit codes", spdyExitCode},
}

func typedObjects(ctx context.Context, w *world) error {
	secrets := w.protobuf.CoreV1().Secrets(w.namespace)
	made, err := secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "typed", Labels: map[string]string{"of": manager}},
		Data:       map[string][]byte{"bytes": {0, 1, 0xff}},
		StringData: map[string]string{"text": "ä"},
	}, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		return err
	}
	if !bytes.Equal(made.Data["bytes"], []byte{0, 1, 0xff}) || string(made.Data["text"]) != "ä" {
		return fmt.Errorf("the data came back as %v", made.Data)
	}
	if made.UID == "" || made.CreationTimestamp.IsZero() || made.Type != corev1.SecretTypeOpaque {
		return fmt.Errorf("without what a server adds: %v", made.ObjectMeta)
	}
	found, err := secrets.List(ctx, metav1.ListOptions{LabelSelector: "of in (goclient),!other"})
	if err != nil {
		return err
	}
	if len(found.Items) != 1 {
		return fmt.Errorf("%d were listed", len(found.Items))
	}
	events := w.protobuf.CoreV1().Events(w.namespace)
	_, err = events.Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: "typed-"},
		InvolvedObject: corev1.ObjectReference{Kind: "Secret", Namespace: w.namespace, Name: "typed"},
		LastTimestamp:  metav1.Now(),
		Reason:         "Asked",
	}, metav1.CreateOptions{})
	return err
}

func staleUpdate(ctx context.Context, w *world) error {
	maps := w.protobuf.CoreV1().ConfigMaps(w.namespace)
	old, err := maps.Create(ctx, configMap("stale", "1"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	newer := old.DeepCopy()
	newer.Data["it"] = "2"
	if _, err = maps.Update(ctx, newer, metav1.UpdateOptions{}); err != nil {
		return err
	}
	old.Data["it"] = "3"
	if _, err = maps.Update(ctx, old, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("a stale update was answered %v", err)
	}
	return nil
}

func preconditions(ctx context.Context, w *world) error {
	maps := w.protobuf.CoreV1().ConfigMaps(w.namespace)
	made, err := maps.Create(ctx, configMap("conditional", "1"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	other := *metav1.NewUIDPreconditions("00000000-0000-0000-0000-000000000000")
	other.ResourceVersion = &made.ResourceVersion
	err = maps.Delete(ctx, made.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: other.UID}})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("another uid was answered %v", err)
	}
	return maps.Delete(ctx, made.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &made.UID}})
}

func serverSideApply(ctx context.Context, w *world) error {
	maps := w.protobuf.CoreV1().ConfigMaps(w.namespace)
	options := metav1.ApplyOptions{FieldManager: manager, Force: true}
	wanted := applycorev1.ConfigMap("applied", w.namespace).WithData(map[string]string{"a": "1", "b": "2"})
	first, err := maps.Apply(ctx, wanted, options)
	if err != nil {
		return err
	}
	again, err := maps.Apply(ctx, wanted, options)
	if err != nil {
		return err
	}
	if again.ResourceVersion != first.ResourceVersion {
		return errors.New("applying the same once more changed the resourceVersion")
	}
	fewer := applycorev1.ConfigMap("applied", w.namespace).WithData(map[string]string{"a": "1"})
	last, err := maps.Apply(ctx, fewer, options)
	if err != nil {
		return err
	}
	if _, kept := last.Data["b"]; kept {
		return errors.New("a field that is no longer applied was kept")
	}
	theirs := metav1.ApplyOptions{FieldManager: "another"}
	_, err = maps.Apply(ctx, applycorev1.ConfigMap("applied", w.namespace).WithData(map[string]string{"a": "9"}), theirs)
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("another manager's value was answered %v", err)
	}
	return nil
}

func ownersAndFinalizers(ctx context.Context, w *world) error {
	maps := w.protobuf.CoreV1().ConfigMaps(w.namespace)
	owner := configMap("owner", "1")
	owner.Finalizers = []string{"embedded.invalid/held"}
	owner, err := maps.Create(ctx, owner, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	owned := configMap("owned", "1")
	owned.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, corev1.SchemeGroupVersion.WithKind("ConfigMap"))}
	if _, err = maps.Create(ctx, owned, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err = maps.Delete(ctx, "owner", metav1.DeleteOptions{}); err != nil {
		return err
	}
	held, err := maps.Get(ctx, "owner", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if held.DeletionTimestamp == nil {
		return errors.New("what a finalizer holds has no deletionTimestamp")
	}
	held.Finalizers = nil
	if _, err = maps.Update(ctx, held, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := maps.Get(ctx, "owned", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
}

func informer(ctx context.Context, w *world) error {
	maps := w.protobuf.CoreV1().ConfigMaps(w.namespace)
	if _, err := maps.Create(ctx, configMap("watched", "1"), metav1.CreateOptions{}); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(w.protobuf, 0, informers.WithNamespace(w.namespace))
	seen := make(chan string, 100)
	watched := factory.Core().V1().ConfigMaps().Informer()
	_, err := watched.AddEventHandler(cache.FilteringResourceEventHandler{
		FilterFunc: func(found any) bool {
			named, is := found.(metav1.Object)
			return !is || named.GetName() == "watched"
		},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { seen <- "added" },
			UpdateFunc: func(any, any) { seen <- "updated" },
			DeleteFunc: func(any) { seen <- "deleted" },
		},
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), watched.HasSynced) {
		return errors.New("the cache was never in step")
	}
	if _, err = maps.Update(ctx, configMap("watched", "2"), metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err = maps.Delete(ctx, "watched", metav1.DeleteOptions{}); err != nil {
		return err
	}
	for _, wanted := range []string{"added", "updated", "deleted"} {
		select {
		case word := <-seen:
			if word != wanted {
				return fmt.Errorf("%s before %s", word, wanted)
			}
		case <-ctx.Done():
			return fmt.Errorf("never %s", wanted)
		}
	}
	return nil
}

func spdyExec(ctx context.Context, w *world) error {
	data := bytes.Repeat([]byte("0123456789abcdef"), 65536)
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	said, err := w.exec(ctx, bytes.NewReader(data), "sha256sum")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(said, sum) {
		return fmt.Errorf("what went in came out as %q", said)
	}
	return nil
}

func spdyExitCode(ctx context.Context, w *world) error {
	_, err := w.exec(ctx, nil, "sh", "-c", "exit 42")
	var exit interface{ ExitStatus() int }
	if !errors.As(err, &exit) || exit.ExitStatus() != 42 {
		return fmt.Errorf("exit code 42 was told as %v", err)
	}
	return nil
}

func (w *world) exec(ctx context.Context, stdin *bytes.Reader, command ...string) (string, error) {
	options := &corev1.PodExecOptions{Command: command, Stdin: stdin != nil, Stdout: true, Stderr: true}
	request := w.protobuf.CoreV1().RESTClient().Post().Resource("pods").Namespace(w.namespace).Name(w.pod).
		SubResource("exec").VersionedParams(options, scheme.ParameterCodec)
	executor, err := remotecommand.NewSPDYExecutor(w.config, "POST", request.URL())
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	streams := remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr}
	if stdin != nil {
		streams.Stdin = stdin
	}
	err = executor.StreamWithContext(ctx, streams)
	return stdout.String(), err
}

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"it": value}}
}
