// Goclient asks an API server what operators written in Go ask of one, with the libraries that these
// are made of, and prints a line of JSON for each question: {"name": …, "problem": …}.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

const limit = 60 * time.Second

// world is what each question is asked of: a namespace of its own, with a Pod that runs.
type world struct {
	config    *rest.Config
	protobuf  kubernetes.Interface
	client    client.Client
	namespace string
	pod       string
}

type question struct {
	name string
	ask  func(context.Context, *world) error
}

func main() {
	namespace := flag.String("namespace", "", "a namespace to work in")
	pod := flag.String("pod", "", "a running Pod in it, with sh, cat and sha256sum")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	asked, err := newWorld(*namespace, *pod)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := json.NewEncoder(os.Stdout)
	for _, each := range questions {
		answer := map[string]string{"name": each.name, "problem": ""}
		if err := timely(each.ask, asked); err != nil {
			answer["problem"] = err.Error()
		}
		if err := answers.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
}

// newWorld reaches the cluster that the flag -kubeconfig names, which controller-runtime declares.
func newWorld(namespace, pod string) (*world, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	typed := rest.CopyConfig(config)
	typed.ContentType = "application/vnd.kubernetes.protobuf"
	protobuf, err := kubernetes.NewForConfig(typed)
	if err != nil {
		return nil, err
	}
	dynamic, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	return &world{config, protobuf, dynamic, namespace, pod}, nil
}

func timely(ask func(context.Context, *world) error, asked *world) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return ask(ctx, asked)
}
