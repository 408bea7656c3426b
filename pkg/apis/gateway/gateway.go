// Package gateway has the fields of the Gateway API that rules read.
package gateway

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Class has the fields of `gateway.networking.k8s.io/v1` GatewayClass that rules read.
type Class struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ControllerName string               `json:"controllerName"`
		ParametersRef  *ParametersReference `json:"parametersRef"`
	} `json:"spec"`
}

// Gateway has the fields of `gateway.networking.k8s.io/v1` Gateway that rules read.
type Gateway struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		GatewayClassName string `json:"gatewayClassName"`
		Infrastructure   struct {
			// ParametersRef is to an object in the Gateway's own namespace.
			ParametersRef *ParametersReference `json:"parametersRef"`
		} `json:"infrastructure"`
	} `json:"spec"`
}

// ParametersReference names the parameters of a Gateway or GatewayClass.
type ParametersReference struct {
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}
